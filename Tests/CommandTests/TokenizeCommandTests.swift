import Foundation
import Testing

@Suite struct TokenizeCommandTests {
  private let texts = ["dog -> A", "", "zwei\nZeilen", "naïve 🤷‍♀️ é", "<|im_end|>", "\\ \" \t"]

  private func lines(_ values: [some Encodable]) throws -> String {
    try values.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n" }
      .joined()
  }

  @Test func goesThereAndBack() throws {
    let there = try Program.run(["tokenize"], input: lines(texts))
    #expect(there.status == 0, "\(there.err)")
    let ids = try there.out.split(separator: "\n").map { try JSON(String($0)).items.map(\.whole) }
    #expect(ids.count == texts.count)
    #expect(ids[0] == [22676, 4722, 330])
    #expect(ids[1] == [])
    #expect(ids[4].count > 1)

    let back = try Program.run(["tokenize", "--decode"], input: there.out)
    #expect(back.status == 0)
    let decoded = try back.out.split(separator: "\n").map { try JSON(String($0)).text ?? "" }
    #expect(decoded.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
  }

  @Test func readsControlTokensWhenAsked() throws {
    let result = try Program.run(["tokenize", "--special"], input: lines(["<|im_end|>"]))
    #expect(result.out == "[2]\n")
  }

  @Test func needsNoLastLineBreakAndNoInput() throws {
    #expect(try Program.run(["tokenize"], input: "\"dog\"").out == "[22676]\n")
    let nothing = try Program.run(["tokenize"])
    #expect(nothing.status == 0 && nothing.out.isEmpty)
  }

  @Test(arguments: [
    (["tokenize"], "\"a\"\n{\"b\n", "standard input, line 2: not valid JSON"),
    (["tokenize"], "\"a\"\n[1]\n", "line 2: found a list where a text belongs"),
    (["tokenize", "--decode"], "[1]\n\"a\"\n", "line 2: found a text where a list belongs"),
    (
      ["tokenize", "--decode"], "[1]\n[2, 49152]\n",
      "line 2[1]: found 49152, allowed is 0 to 49151"
    ),
  ]) func stopsAtAWrongLine(_ arguments: [String], _ input: String, _ problem: String) throws {
    let result = try Program.run(arguments, input: input)
    #expect(result.status == 1)
    // What came before is not lost.
    #expect(result.out.split(separator: "\n").count == 1)
    #expect(result.err.split(separator: "\n").count == 1)
    #expect(result.err.contains(problem), "\(result.err)")
  }
}
