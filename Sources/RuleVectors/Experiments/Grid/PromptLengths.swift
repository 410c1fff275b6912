import Synchronization
import Transformer

/// Whether prompts differ in length, found out once for all units that ask.
final class PromptLengths: Sendable {
  private let prompts: [String]
  private let found = Mutex<Bool?>(nil)

  init(_ prompts: [String]) { self.prompts = prompts }

  func differ(_ tokenizer: any Tokenizer) -> Bool {
    found.withLock { found in
      if let found { return found }
      let differ = Set(prompts.map { tokenizer.encode($0).count }).count > 1
      found = differ
      return differ
    }
  }
}
