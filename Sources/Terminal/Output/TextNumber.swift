/// The signs of numbers as a terminal can show them.
enum TextNumber {
  /// With a true minus sign where the terminal has one.
  static func signed(_ number: String, usesUnicode: Bool) -> String {
    usesUnicode ? number.replacing("-", with: "−") : number
  }

  /// The minus sign, the infinity sign and the dash for a missing number in ASCII.
  static func ascii(_ text: String) -> String {
    text.replacing("−", with: "-").replacing("∞", with: "inf").replacing("–", with: "-")
  }
}
