import Testing

@testable import Terminal

@Suite struct TerminalDeviceTests {
  @Test func knowsLocales() {
    #expect(TerminalDevice.usesUnicode(["LANG": "de_CH.UTF-8"]))
    #expect(TerminalDevice.usesUnicode(["LC_ALL": "", "LANG": "C.utf8"]))
    #expect(!TerminalDevice.usesUnicode(["LC_ALL": "C", "LANG": "de_CH.UTF-8"]))
    #expect(!TerminalDevice.usesUnicode([:]))
  }

  @Test func aClosedFileIsNoTerminal() {
    let device = TerminalDevice.of(-1, environment: [:])
    #expect(!device.isTerminal)
    #expect(!device.usesColour)
    #expect(device.width == 80 && !device.hasWidth)
    let narrow = TerminalDevice.of(-1, environment: ["COLUMNS": "40"])
    #expect(narrow.width == 40 && narrow.hasWidth)
    #expect(TerminalDevice.of(-1, environment: ["COLUMNS": "0"]).width == 80)
    #expect(TerminalDevice.of(-1, environment: ["COLUMNS": "wide"]).width == 80)
  }
}
