import TensorCore
import Testing

@testable import RuleVectors

/// Episodes of the first tasks as they were drawn before there were formats, more classes and further
/// kinds of rules: runs of then and now can be compared.
@Suite struct KnownEpisodesTests {
  static let expected = [
    (
      "multi-demo-rule",
      """
      original: leg=A saxophone=C lute=C neck=A tambourine=C knee? A/C
      other-items: hand=A guitar=C bongo=C nose=A fiddle=C thigh? A/C
      dummy-demonstrations: choice=C degree=C category=A balance=A answer=C knee? A/C
      flipped-rule: leg=C saxophone=A lute=A neck=C tambourine=A knee? C/A
      swapped-slots: sitar=C shoulder=A liver=A tuba=C kidney=A knee? A/C
      original: cricket=A janitor=C hockey=A architect=C painter=C accountant? C/A
      other-items: sprinting=A scientist=C judo=A waiter=C secretary=C volleyball? A/C
      dummy-demonstrations: argument=A number=A reason=C habit=C dream=C accountant? C/A
      flipped-rule: cricket=C janitor=A hockey=C architect=A painter=A accountant? A/C
      swapped-slots: engineer=C boxing=A waiter=C sprinting=A wrestling=A accountant? C/A
      original: carriage=C gong=D scooter=C ukulele=D moped=C wagon? C/D
      other-items: ship=C drum=D yacht=C cymbal=D train=C tram? C/D
      dummy-demonstrations: doubt=D purpose=C limit=C matter=D theory=D wagon? C/D
      flipped-rule: carriage=D gong=C scooter=D ukulele=C moped=D wagon? D/C
      swapped-slots: piano=D tram=C oboe=D yacht=C harp=D wagon? C/D
      original: karate=C lily=D billiards=C ivy=D marigold=D lavender? D/C
      other-items: triathlon=C clover=D softball=C spruce=D carnation=D tree? D/C
      dummy-demonstrations: amount=D pattern=C promise=D topic=D dream=C lavender? D/C
      flipped-rule: karate=D lily=C billiards=D ivy=C marigold=C lavender? C/D
      swapped-slots: spruce=D polo=C tree=D triathlon=C skiing=C lavender? D/C
      """
    ),
    (
      "country-capital",
      """
      original: Indonesia=Jakarta Ecuador=Quito Belarus=Minsk Cyprus=Nicosia Chile=Santiago Greece? Athens/Abuja
      other-items: Mongolia=Ulaanbaatar Austria=Vienna Armenia=Yerevan Poland=Warsaw Kenya=Nairobi Rwanda? Kigali/Maputo
      dummy-demonstrations: secret=belief number=rumor result=promise theory=effort reason=detail Greece? Athens/Abuja
      other-query: Indonesia=Jakarta Ecuador=Quito Belarus=Minsk Cyprus=Nicosia Chile=Santiago Somalia? Mogadishu/Athens
      original: Venezuela=Caracas Iran=Tehran Zimbabwe=Harare Italy=Rome Cambodia=Phnom Penh Ghana? Accra/Maputo
      other-items: Slovenia=Ljubljana Chile=Santiago Senegal=Dakar Syria=Damascus Indonesia=Jakarta Spain? Madrid/Dublin
      dummy-demonstrations: mystery=secret aspect=reason direction=distance number=risk detail=limit Ghana? Accra/Maputo
      other-query: Venezuela=Caracas Iran=Tehran Zimbabwe=Harare Italy=Rome Cambodia=Phnom Penh Mali? Bamako/Accra
      original: Finland=Helsinki Algeria=Algiers China=Beijing Peru=Lima France=Paris Qatar? Doha/Brussels
      other-items: Iceland=Reykjavik Norway=Oslo Jamaica=Kingston Zambia=Lusaka Australia=Canberra Egypt? Cairo/Tripoli
      dummy-demonstrations: limit=moment mystery=advice variety=question number=principle benefit=idea Qatar? Doha/Brussels
      other-query: Finland=Helsinki Algeria=Algiers China=Beijing Peru=Lima France=Paris Morocco? Rabat/Doha
      original: Australia=Canberra China=Beijing Tunisia=Tunis Japan=Tokyo Morocco=Rabat Argentina? Buenos Aires/Helsinki
      other-items: Jamaica=Kingston Uzbekistan=Tashkent Peru=Lima Belgium=Brussels Finland=Helsinki India? New Delhi/Havana
      dummy-demonstrations: effort=quality choice=concept mystery=opinion memory=truth secret=period Argentina? Buenos Aires/Helsinki
      other-query: Australia=Canberra China=Beijing Tunisia=Tunis Japan=Tokyo Morocco=Rabat Jamaica? Kingston/Buenos Aires
      """
    ),
    (
      "present-past",
      """
      original: continue=continued find=found hold=held fall=fell wake=woke grow? grew/built
      other-items: try=tried stop=stopped strike=struck draw=drew walk=walked raise? raised/pulled
      dummy-demonstrations: season=belief limit=rumor number=secret change=effort moment=topic grow? grew/built
      other-query: continue=continued find=found hold=held fall=fell wake=woke eat? ate/grew
      original: stop=stopped work=worked live=lived laugh=laughed lose=lost forgive? forgave/sat
      other-items: kill=killed study=studied follow=followed forget=forgot push=pushed wait? waited/jumped
      dummy-demonstrations: quality=rumor secret=reason matter=distance moment=risk promise=limit forgive? forgave/sat
      other-query: stop=stopped work=worked live=lived laugh=laughed lose=lost lead? led/forgave
      original: lend=lent leave=left run=ran freeze=froze take=took turn? turned/liked
      other-items: pay=paid hope=hoped pass=passed clean=cleaned like=liked tell? told/needed
      dummy-demonstrations: version=moment event=advice dream=question theory=concept factor=idea turn? turned/liked
      other-query: lend=lent leave=left run=ran freeze=froze take=took send? sent/turned
      original: pass=passed drink=drank understand=understood cook=cooked run=ran turn? turned/cleaned
      other-items: hope=hoped talk=talked freeze=froze clean=cleaned teach=taught remain? remained/went
      dummy-demonstrations: detail=quality limit=basis risk=opinion memory=truth story=period turn? turned/cleaned
      other-query: pass=passed drink=drank understand=understood cook=cooked run=ran create? created/turned
      """
    ),
  ]

  private static func line(_ episode: Episode) -> String {
    let shown = episode.demonstrations.map { "\($0.input)=\($0.answer)" }
    let prompt = (shown + [episode.query + "?"]).joined(separator: " ")
    return "\(episode.variant.rawValue): \(prompt) \(episode.right)/\(episode.wrong)"
  }

  @Test(arguments: expected) func drawsWhatItDrew(_ name: String, _ expected: String) throws {
    let sampler = EpisodeSampler(task: try Fixtures.task(name), tokenizer: FakeTokenizer.words())
    var lines: [String] = []
    for (index, split) in [(0, Split.heldOut), (3, .heldOut), (6, .development), (1, .pilot)] {
      let episode = try sampler.episode(index: index, split: split, demonstrations: 5, seed: 11)
      var drawn = [
        episode, try sampler.otherItems(than: episode, queryOfOtherClass: index == 3),
        try sampler.dummyDemonstrations(of: episode),
      ]
      if sampler.task.kind == .categorization {
        drawn += [try episode.flippedRule(), try sampler.swappedSlots(of: episode)]
      } else {
        drawn.append(try sampler.otherQuery(than: episode))
      }
      lines += drawn.map(Self.line)
    }
    #expect(lines == expected.split(separator: "\n").map(String.init))
  }
}
