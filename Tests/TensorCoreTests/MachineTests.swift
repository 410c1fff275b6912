import Foundation
import TensorCore
import Testing

@Suite struct MachineTests {
  @Test func aBuildIsTheDigestOfItsExecutable() throws {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    #expect(Machine.build == String(try SHA256.hash(ofFile: program).prefix(16)))
    #expect(Machine.arithmetic["build"] == .string(Machine.build))
    #expect(Machine.arithmetic["blas_core"] == Machine.description["openblas_core"])
    #expect(["avx2", "portable"].contains(Machine.vector))
  }

  @Test func wordsComeBackFromAShell() throws {
    let words = ["plain-1.0/x_y", "", "it's", "a b", "$HOME", "\"", "\\n", "*", "é", "a\nb", "-"]
    #expect(ShellWord.quoted(words[0]) == words[0])
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "printf '%s\\0' " + ShellWord.line(words)]
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(output == words.map { $0 + "\0" }.joined())
  }
}
