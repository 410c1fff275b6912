import Foundation
import Testing

/// A folder with a study of every kind of cell on sixty-four pictures of 4×4, and the network that it begins
/// from: what is trained takes a second.
struct TinyStudy {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    let bytes = ImageFiles.pixels(64).flatMap { pixel in
      withUnsafeBytes(of: (Float(pixel) / 125 - 1).bitPattern.littleEndian) { Array($0) }
    }
    try scratch.write(
      "pictures.safetensors", ImageFiles.safetensors("images", "F32", [64, 1, 4, 4], bytes))
    try scratch.write(
      "tiny.json",
      """
      {"base": "test", "images": {"height": 4, "width": 4, "prepare": []},
       "network": {"model_channels": 4, "channel_mult": [1, 1], "attn_resolutions": []},
       "pretrain": {"batch": 64}, "train": {"batch": 64}}
      """)
    try write("small", images: 1000)
    try succeed([
      "pretrain", "--data", "pictures.safetensors", "--preset", "tiny.json", "--threads", "1",
      "--kimg", "1", "--snapshots", "1", "--out", "network",
    ])
  }

  /// - Parameter images: that the last cell trains on.
  func write(_ name: String, images: Int) throws {
    try scratch.write(
      "\(name).json",
      """
      {"name": "\(name)", "title": "A small study", "question": "Which rate?",
       "data": "pictures.safetensors", "preset": "tiny.json", "networks": {"pretrained": null},
       "teachers": [{"network": "pretrained", "steps": 2}], "count": 16, "development": [100],
       "development_images": 1000, "further_learning_rates": 0, "seeds": [0],
       "cells": [
         {"name": "teacher", "method": "teacher", "network": "pretrained", "steps": 2},
         {"name": "spectrum", "method": "spectrum", "network": "pretrained",
          "options": {"images": 16, "removal_images": 16}},
         {"name": "gan", "method": "gan", "network": "pretrained", "freeze": "1",
          "learning_rates": [0.001, 0.002], "checkpoints": [\(images)]}]}
      """)
  }

  /// The command; nil for no `--out`.
  func arguments(_ out: String?, _ name: String = "small", shard: String? = nil) -> [String] {
    [
      "study", "\(name).json", "--network", "pretrained=network/snapshot-000001.safetensors",
      "--threads", "1",
    ] + (out.map { ["--out", $0] } ?? []) + (shard.map { ["--shard", $0] } ?? [])
  }

  @discardableResult
  func succeed(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Program.Result
  {
    let result = try Program.run(arguments, of: "onestep", folder: scratch)
    #expect(result.status == 0, "\(result.err)", sourceLocation: sourceLocation)
    return result
  }

  /// The run's rows.
  func rows(_ out: String) throws -> String { try scratch.read("\(out)/results.jsonl") }

  /// Makes a run look as if another build of the program had begun it.
  func changeBuild(of out: String) throws {
    let manifest = try scratch.read("\(out)/manifest.json")
    let other = manifest.replacing(/"build": "[^"]*"/, with: "\"build\": \"another\"")
    #expect(other != manifest)
    try scratch.write("\(out)/manifest.json", other)
  }
}
