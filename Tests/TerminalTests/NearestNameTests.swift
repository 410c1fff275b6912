import Testing

@testable import Terminal

@Suite struct NearestNameTests {
  @Test(arguments: [
    ("model", "model", 0), ("modle", "model", 1), ("", "abc", 3), ("abc", "", 3),
    ("kitten", "sitting", 3), ("threads", "thread", 1),
  ])
  func measuresEdits(first: String, second: String, distance: Int) {
    #expect(NearestName.editDistance(first, second) == distance)
    #expect(NearestName.editDistance(second, first) == distance)
  }

  @Test func suggestsOnlyWhatIsNear() {
    let names = ["--model", "--threads", "--seed"]
    #expect(NearestName.find("--tread", in: names) == "--threads")
    #expect(NearestName.find("--thr", in: names) == "--threads")
    #expect(NearestName.find("--batch", in: names) == nil)
    #expect(NearestName.find("--x", in: []) == nil)
  }
}
