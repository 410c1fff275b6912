import Reports
import TensorCore

/// Everything that is fitted to the vectors of one layer.
struct DecodingAnalysis: Sendable {
  let samples: DecodingSamples
  /// −1 for the embeddings.
  let layer: Int
  /// Names of surface forms; decoders are trained on the first.
  let forms: [String]
  /// Whether it is only to choose a layer: no tests, no geometry.
  let isChoosing: Bool
  let draws: SequentialMonteCarlo
  let seed: UInt64

  /// - Parameter vectors: by form, `[samples, width]`.
  func figures(_ pool: ThreadPool, _ vectors: (PositionGroup) throws -> [[Double]]) throws
    -> [DecodingFigure]
  {
    var jobs: [@Sendable () throws -> [DecodingFigure]] = []
    for site in isChoosing ? [.answers] : DecodingVectors.sites {
      let products = DecodingProducts(try vectors(site), samples)
      jobs += self.jobs(site, products)
    }
    let work = jobs
    return try pool.map(work.count) { number in Result { try work[number]() } }
      .flatMap { try $0.get() }
  }

  private func jobs(_ site: PositionGroup, _ products: DecodingProducts)
    -> [@Sendable () throws -> [DecodingFigure]]
  {
    // What is chosen by is the strictest that the design allows.
    let allowed = DecodingDesign.HeldOut.allCases.filter { !samples.design.folds($0).isEmpty }
    if isChoosing {
      return allowed.suffix(1).map { heldOut in
        { try ridge(.rule, heldOut, site, products, trained: 0, tested: [0]) }
      }
    }
    var jobs: [@Sendable () throws -> [DecodingFigure]] = []
    for heldOut in allowed {
      for target in DecodingTarget.allCases {
        let tested = heldOut == allowed.last ? Array(forms.indices) : [0]
        jobs.append { try ridge(target, heldOut, site, products, trained: 0, tested: tested) }
      }
    }
    if let strict = allowed.last {
      // What a form's own decoders reach, beside what another form's do.
      for form in forms.indices.dropFirst() {
        jobs.append {
          try ridge(.rule, strict, site, products, trained: form, tested: [form, 0])
        }
      }
      if site == .answers {
        for target in DecodingTarget.allCases {
          jobs.append { try logistic(target, strict, site, products) }
          jobs.append { try demixed(target, strict, site, products) }
        }
      }
    }
    if site == .answers {
      jobs.append { try variance(site, products) }
      for form in forms.indices { jobs.append { similarity(site, products, form) } }
    }
    return jobs
  }

  /// A seed of its own for every test.
  func seed(_ path: String) -> UInt64 {
    let digest = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    var stream = RandomStream(
      seed: seed, path: [0xDEC0D2, UInt64(truncatingIfNeeded: layer), digest])
    return stream.next()
  }

  private func ridge(
    _ target: DecodingTarget, _ heldOut: DecodingDesign.HeldOut, _ site: PositionGroup,
    _ products: DecodingProducts, trained: Int, tested: [Int]
  ) throws -> [DecodingFigure] {
    let choice = samples.choice(target, heldOut)
    let ridge = try choice.ridge(
      training: samples.kernel(target, products(target, rows: trained, columns: trained)),
      testing: tested.map {
        samples.kernel(target, products(target, rows: $0, columns: trained))
      })
    return tested.indices.flatMap { number -> [DecodingFigure] in
      let outcome = ridge.outcome(number)
      func figure(
        _ interval: Interval, slot: Int? = nil,
        chance: (pValue: Double, low: Double, high: Double)? = nil
      ) -> DecodingFigure {
        DecodingFigure(
          .accuracy, at: site, layer: layer, target: target.rawValue, heldOut: heldOut,
          decoder: "ridge", trained: forms[trained], tested: forms[tested[number]], slot: slot,
          interval: interval, chance: chance, count: outcome.shares.count)
      }
      let name = "\(site) \(target) \(heldOut) \(trained) \(tested[number])"
      let whole = figure(
        outcome.accuracy,
        chance: isChoosing ? nil : ridge.test(number, draws: draws, seed: seed(name)))
      guard !isChoosing, target == .rule, trained == 0, tested[number] == 0 else { return [whole] }
      // Pairs of rules are slots, episode by episode.
      return [whole]
        + (0..<samples.slots).map { slot in
          let right = stride(from: slot, to: outcome.choices.count, by: samples.slots)
            .compactMap { outcome.choices[$0] }
          let sum = right.reduce(0, +)
          let wilson = Wilson.interval(successes: Int(sum.rounded()), trials: right.count)
          let mean = right.isEmpty ? .nan : sum / Double(right.count)
          return figure(
            Interval(
              estimate: mean, low: min(wilson.low, mean), high: max(wilson.high, mean), level: 0.95),
            slot: slot)
        }
    }
  }

  private func logistic(
    _ target: DecodingTarget, _ heldOut: DecodingDesign.HeldOut, _ site: PositionGroup,
    _ products: DecodingProducts
  ) throws -> [DecodingFigure] {
    let outcome = try samples.choice(target, heldOut)
      .logistic(samples.kernel(target, products(target)))
    return [
      DecodingFigure(
        .accuracy, at: site, layer: layer, target: target.rawValue, heldOut: heldOut,
        decoder: "logistic", trained: forms[0], tested: forms[0], interval: outcome.accuracy,
        count: outcome.shares.count)
    ]
  }
}
