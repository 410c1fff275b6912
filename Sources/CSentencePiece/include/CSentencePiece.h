// C face of libsentencepiece: the few calls that a tokenizer needs. No C++ exception passes.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct sentencepiece_model sentencepiece_model;

// Loads a serialised ModelProto. NULL if it cannot be used; then `message`, which holds `capacity`
// bytes, says why.
sentencepiece_model *sentencepiece_load(
    const uint8_t *model, size_t count, char *message, size_t capacity);

void sentencepiece_free(sentencepiece_model *model);

// Encodes UTF-8 text. Returns the number of ids, or -1; `*ids` goes to sentencepiece_free_ids.
ptrdiff_t sentencepiece_encode(
    const sentencepiece_model *model, const uint8_t *text, size_t count, int32_t **ids);

void sentencepiece_free_ids(int32_t *ids);

#ifdef __cplusplus
}
#endif
