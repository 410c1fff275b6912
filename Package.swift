// swift-tools-version: 6.2
import PackageDescription

// AVX2 and FMA for Swift's SIMD types on x86-64; other processors use the same source without flags.
// ICL_PROBE_PORTABLE=1 builds for processors without AVX2.
#if arch(x86_64)
  let vectorFlags =
    Context.environment["ICL_PROBE_PORTABLE"] == nil
    ? ["-Xcc", "-mavx2", "-Xcc", "-mfma", "-Xcc", "-mf16c"] : []
#else
  let vectorFlags: [String] = []
#endif

// Without such an instruction, a fused multiplication and addition is a call for each number.
#if arch(x86_64)
  let isFused = !vectorFlags.isEmpty
#else
  let isFused = true
#endif

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .unsafeFlags(vectorFlags),
  ] + (isFused ? [.define("FUSED_MULTIPLY_ADD")] : [])

let package = Package(
  name: "icl-probe",
  products: [
    .executable(name: "icl-probe", targets: ["icl-probe"]),
    .executable(name: "onestep", targets: ["onestep"]),
  ],
  traits: [
    .trait(
      name: "MPI", description: "Training over several processes by MPI: needs libopenmpi-dev.")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(
      name: "CSentencePiece",
      cxxSettings: [.unsafeFlags(["-std=c++17"])],
      linkerSettings: [.linkedLibrary("sentencepiece")]),
    .target(
      name: "CProcessor", cSettings: vectorFlags.isEmpty ? [] : [.define("NEEDS_AVX2")]),
    // Fast in debug builds too.
    .target(
      name: "CPanels", exclude: ["kernels.inc"], cSettings: [.unsafeFlags(["-O3"])]),
    .target(
      name: "TensorCore", dependencies: ["COpenBLAS", "CCrypto", "CPanels", "CProcessor"],
      swiftSettings: settings),
    .target(
      name: "Transformer", dependencies: ["TensorCore", "CSentencePiece"],
      swiftSettings: settings),
    .target(
      name: "RuleVectors", dependencies: ["Transformer", "TensorCore", "Reports"],
      swiftSettings: settings),
    .target(
      name: "DiffusionGAN", dependencies: ["TensorCore", "Reports", "CZlib", "CPNG"],
      swiftSettings: settings),
    .target(name: "Reports", dependencies: ["TensorCore"], swiftSettings: settings),
    .target(name: "Terminal", dependencies: ["TensorCore"], swiftSettings: settings),
    .executableTarget(
      name: "icl-probe",
      dependencies: ["RuleVectors", "Transformer", "TensorCore", "Reports", "Terminal"],
      swiftSettings: settings),
    .systemLibrary(
      name: "CMessagePassing", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .executableTarget(
      name: "onestep",
      dependencies: [
        "DiffusionGAN", "TensorCore", "Reports", "Terminal", "CProcessor",
        .target(name: "CMessagePassing", condition: .when(traits: ["MPI"])),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "rule-networks", dependencies: ["RuleVectors", "Transformer", "TensorCore"],
      swiftSettings: settings),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "RuleVectors", "Transformer", "DiffusionGAN", "TensorCore", "Reports", "Terminal",
        "COpenBLAS", "CPanels",
      ],
      path: "Benchmarks/Sources", swiftSettings: settings),
    .testTarget(
      name: "TensorCoreTests", dependencies: ["TensorCore", "CPanels"],
      resources: [.copy("Resources")], swiftSettings: settings),
    .testTarget(
      name: "TransformerTests", dependencies: ["Transformer", "TensorCore"],
      resources: [.copy("Resources")], swiftSettings: settings),
    .testTarget(
      name: "RuleVectorsTests",
      dependencies: ["RuleVectors", "Transformer", "TensorCore", "Reports"],
      swiftSettings: settings),
    .testTarget(
      name: "DiffusionGANTests",
      dependencies: ["DiffusionGAN", "TensorCore", "Reports", "CZlib"],
      resources: [.copy("Resources")], swiftSettings: settings),
    .testTarget(
      name: "ReportsTests", dependencies: ["Reports", "TensorCore"], swiftSettings: settings),
    .testTarget(
      name: "TerminalTests", dependencies: ["Terminal", "TensorCore"], swiftSettings: settings),
    .testTarget(
      name: "CommandTests", dependencies: ["icl-probe", "onestep", "TensorCore"],
      exclude: ["Resources"],
      swiftSettings: settings),
  ],
  cxxLanguageStandard: .cxx17
)

// The fuzzer and the test of the inputs that it found share their sources: see docs/fuzzing.md.
let readers: [Target.Dependency] = [
  "RuleVectors", "Transformer", "DiffusionGAN", "TensorCore",
]
let inputs = ["seeds", "found", "dictionaries", "fuzz", "make-seeds"]
if Context.environment["ICL_PROBE_FUZZ"] == nil {
  package.targets.append(
    .testTarget(
      name: "FuzzingTests", dependencies: readers, path: "Tests/Fuzzing",
      exclude: inputs + ["Fuzzer"], swiftSettings: settings))
} else {
  package.targets.append(
    .executableTarget(
      name: "fuzzer", dependencies: readers, path: "Tests/Fuzzing",
      exclude: inputs + ["KeptInputsTests.swift"], swiftSettings: settings,
      // gold does not link what libFuzzer instruments.
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
