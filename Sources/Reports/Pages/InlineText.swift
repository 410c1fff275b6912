/// Running text: words between backticks as code, and `[words](#id)` as links within the page.
///
/// - Parameter hasLinks: Whether links are made; otherwise their words alone are left.
func inline(_ text: String, hasLinks: Bool = true) -> [Markup] {
  let parts = text.split(separator: "`", omittingEmptySubsequences: false)
  // An odd number of backticks has no partner for the last one.
  guard parts.count % 2 == 1 else { return linked(text[...], hasLinks) }
  return parts.enumerated().filter { !$1.isEmpty }.flatMap { index, part in
    index % 2 == 1
      ? [.element("code", [:], [.text(String(part))])] : linked(part, hasLinks)
  }
}

private func linked(_ text: Substring, _ hasLinks: Bool) -> [Markup] {
  var result: [Markup] = []
  var rest = text
  while let match = rest.firstMatch(of: /\[([^\[\]]+)\]\(#([^()\s]+)\)/) {
    if match.range.lowerBound > rest.startIndex {
      result.append(.text(String(rest[..<match.range.lowerBound])))
    }
    let words = Markup.text(String(match.1))
    result.append(hasLinks ? .element("a", ["href": "#\(match.2)"], [words]) : words)
    rest = rest[match.range.upperBound...]
  }
  return rest.isEmpty ? result : result + [.text(String(rest))]
}
