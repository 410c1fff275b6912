import TensorCore

extension Architecture {
  /// What a `config.json` describes, without a folder around it.
  ///
  /// - Parameter place: where it comes from, for messages.
  /// - Throws: `UserError` for a family or a setting that is not known.
  public init(configuration: JSONValue, place: String) throws {
    let config = try HuggingFaceConfig(JSONReader(configuration, place: place))
    self = try ModelDescription(config, family: Family(of: config)).architecture
  }
}
