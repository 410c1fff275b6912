#include "CSentencePiece.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

struct sentencepiece_model {
  sentencepiece::SentencePieceProcessor processor;
};

static std::string_view view(const uint8_t *bytes, size_t count) {
  return std::string_view(reinterpret_cast<const char *>(bytes), count);
}

sentencepiece_model *sentencepiece_load(
    const uint8_t *model, size_t count, char *message, size_t capacity) {
  try {
    auto loaded = std::make_unique<sentencepiece_model>();
    const auto status = loaded->processor.LoadFromSerializedProto(view(model, count));
    if (status.ok()) return loaded.release();
    std::snprintf(message, capacity, "%s", status.error_message());
  } catch (const std::exception &error) {
    std::snprintf(message, capacity, "%s", error.what());
  } catch (...) {
    std::snprintf(message, capacity, "unknown error");
  }
  return nullptr;
}

void sentencepiece_free(sentencepiece_model *model) { delete model; }

ptrdiff_t sentencepiece_encode(
    const sentencepiece_model *model, const uint8_t *text, size_t count, int32_t **ids) {
  *ids = nullptr;
  try {
    std::vector<int> found;
    if (!model->processor.Encode(view(text, count), &found).ok()) return -1;
    if (found.empty()) return 0;
    *ids = static_cast<int32_t *>(std::malloc(found.size() * sizeof(int32_t)));
    if (*ids == nullptr) return -1;
    std::copy(found.begin(), found.end(), *ids);
    return static_cast<ptrdiff_t>(found.size());
  } catch (...) {
    return -1;
  }
}

void sentencepiece_free_ids(int32_t *ids) { std::free(ids); }
