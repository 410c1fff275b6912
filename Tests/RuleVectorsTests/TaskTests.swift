import Foundation
import RuleVectors
import TensorCore
import Testing

@Suite struct TaskTests {
  @Test func categorizationFileHasWhatItPromises() throws {
    let task = try Fixtures.task("multi-demo-rule")
    guard case .categorization(let classes, let labels) = task.items else {
      Issue.record("not a categorization task")
      return
    }
    #expect(classes.count >= 8)
    #expect(labels == ["A", "B", "C", "D"])
    for category in classes {
      #expect(category.words.count >= 24)
      #expect(category.words.allSatisfy { $0 == $0.lowercased() && !$0.contains(" ") })
      // 6 demonstrations and the query, twice, so that a donor needs no word again.
      #expect(Split.heldOut.items(of: category.words).count >= 14)
      #expect(Split.development.items(of: category.words).count >= 9)
    }
    let words = classes.flatMap(\.words)
    #expect(Set(words).count == words.count)
    #expect(Set(words).isDisjoint(with: task.dummies))
    #expect(task.dummies.count >= 32)
  }

  @Test(arguments: [("country-capital", 70), ("present-past", 110)])
  func mappingFilesHaveWhatTheyPromise(name: String, atLeast: Int) throws {
    let task = try Fixtures.task(name)
    guard case .mapping(let pairs) = task.items else {
      Issue.record("not a mapping")
      return
    }
    #expect(pairs.count >= atLeast)
    #expect(pairs.allSatisfy { $0.input != $0.answer })
    #expect(Set(pairs.map(\.answer)).count == pairs.count)
    #expect(task.dummies.count >= 32)
  }

  @Test func everyFileInTheFolderLoads() throws {
    let library = try TaskLibrary(folder: Fixtures.tasksFolder)
    #expect(library.entries.count >= 3)
    for entry in library.entries { #expect(try entry.load().name == entry.name) }
  }

  @Test func splitsAreDisjointAndComplete() {
    let list = Array(0..<20)
    let development = Split.development.items(of: list)
    let heldOut = Split.heldOut.items(of: list)
    #expect(development == [0, 3, 6, 9, 12, 15, 18])
    #expect(Set(development).isDisjoint(with: heldOut))
    #expect(Set(development + heldOut) == Set(list))
  }

  @Test func digestNamesTheContentNotTheLayout() throws {
    let task = try Fixtures.read(Fixtures.taskText())
    let respaced = try Fixtures.read(Fixtures.taskText(changing: ", ", to: " ,\n "))
    let changed = try Fixtures.read(Fixtures.taskText(changing: "plum", to: "fig"))
    #expect(task.digest == respaced.digest)
    #expect(task.digest != changed.digest)
    #expect(task.digest.count == 64)
  }

  /// What is changed in a good file, and what the error must name.
  static let faults: [(String, String, [String])] = [
    ("\"title\": \"Small\", ", "", ["title", "missing"]),
    ("\"title\"", "\"titel\"", ["titel", "title", "unknown"]),
    ("categorization", "sorting", ["family", "sorting", "categorization", "mapping", "linear"]),
    ("\"family\": \"categorization\",", "", ["kind", "missing"]),
    ("\"A\", \"B\"", "\"A\"", ["labels", "found 1", "2 or more"]),
    ("\"A\", \"B\"", "\"A\", \"A\"", ["labels[1]", "A", "twice"]),
    ("\"A\", \"B\"", "\"A\", 2", ["labels[1]", "a whole number", "a text"]),
    ("\"A\", \"B\"", "\"A\", \"\"", ["labels[1]", "empty"]),
    ("\"plum\"", "\"dog\"", ["dog", "already in", "classes."]),
    ("\"plum\"", "\"pear\"", ["fruits[2]", "pear", "twice"]),
    ("\"plum\"", "\" plum\"", ["fruits[2]", "space"]),
    (", \"plum\"", "", ["fruits", "found 2", "3 or more"]),
    ("\"idea\"", "\"dog\"", ["dummies[0]", "dog", "also an item"]),
    ("{label}\\n", "\\n", ["template.demonstration", "{label}", "each once"]),
    ("{label}\\n", "{label}", ["template.demonstration", "after the answer"]),
    ("\"{input} ->\"", "\"{input} =>\"", ["template.query", "=>", "up to its answer"]),
    ("\"query\"", "\"question\"", ["template", "question", "query"]),
  ]

  @Test(arguments: faults)
  func faultsAreNamed(old: String, new: String, parts: [String]) {
    let text = Fixtures.taskText(changing: old, to: new)
    #expect(text != Fixtures.taskText())
    do {
      _ = try Fixtures.read(text)
      Issue.record("accepted")
    } catch let error as UserError {
      let line = error.description
      #expect(line.hasPrefix("tasks/small.json"), "\(line)")
      for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
    } catch {
      Issue.record("\(error) is no UserError")
    }
  }

  @Test func wrongPairsAreNamed() {
    let head = """
      {"name": "small", "title": "t", "description": "d", "family": "mapping", "dummies": ["x", "y"],
       "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"}, "pairs":
      """
    let five = (0..<5).map { "[\"i\($0)\", \"a\($0)\"]" }.joined(separator: ", ")
    for (last, part) in [
      ("[\"i9\"]", "pairs[5]"), ("[\"i0\", \"b\"]", "twice"), ("[\"i9\", 3]", "pairs[5][1]"),
      ("7", "a list"),
    ] {
      #expect { try Fixtures.read("\(head) [\(five), \(last)]}") } throws: {
        ($0 as? UserError)?.description.contains(part) == true
      }
    }
    #expect { try Fixtures.read("\(head) [\(five)]}") } throws: {
      ($0 as? UserError)?.description.contains("found 5 pairs") == true
    }
  }

  @Test func unknownNameListsTheKnownOnes() {
    #expect { try Fixtures.task("multi") } throws: {
      ($0 as? UserError)?.description.contains("multi-demo-rule") == true
    }
    #expect(throws: UserError.self) { try RuleTask(named: "x", in: "/nowhere") }
  }
}
