/// The classes and functions that a pickle of weights may name. Naming one runs nothing: readers of
/// files know what each stands for.
///
/// Sources: `torch/_utils.py`, `torch/storage.py`, `numpy/_core/multiarray.py`, and
/// `torch_utils/persistence.py` of NVIDIA's networks.
public enum PickleNames {
  static func allows(_ name: String) -> Bool {
    allowed.contains(name)
      // Containers and layers whose parts are in their state.
      || name.hasPrefix("torch.nn.modules.")
  }

  public static let rebuildPersistent = "torch_utils.persistence._reconstruct_persistent_obj"

  private static let allowed: Set<String> = Set(
    [
      "collections.OrderedDict", "builtins.dict", "builtins.list", "builtins.tuple",
      "builtins.set", "builtins.frozenset", "builtins.bytearray", "builtins.object",
      encode, reconstructor, newObject,
      "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
      "torch._tensor._rebuild_from_type_v2", "torch.storage._load_from_bytes",
      "torch.storage.TypedStorage", "torch.storage.UntypedStorage",
      "torch.storage._TypedStorage", "torch.storage._UntypedStorage",
      "torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter",
      "numpy.core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy.ndarray",
      "numpy.core.numeric._frombuffer", "numpy.dtype",
      rebuildPersistent, "dnnlib.util.EasyDict",
    ]
      + storages.map { "torch.\($0)Storage" } + types.map { "torch.\($0)" })

  private static let storages = [
    "Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool",
    "Untyped",
  ]

  private static let types = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
    "bool",
  ]

  static let encode = "_codecs.encode"
  static let reconstructor = "copyreg._reconstructor"
  static let newObject = "copyreg.__newobj__"

  /// One name for what Python 2 and 3, and versions of numpy, call differently.
  static func joined(_ module: String, _ name: String) -> String {
    let module =
      switch module {
      case "__builtin__": "builtins"
      case "copy_reg": "copyreg"
      case "dnnlib": "dnnlib.util"
      case _ where module.hasPrefix("numpy._core."):
        "numpy.core." + module.dropFirst("numpy._core.".count)
      default: module
      }
    return "\(module).\(name)"
  }
}
