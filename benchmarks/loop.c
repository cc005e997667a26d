// The least that decoding takes: llama.cpp called from C, the most probable token each time.
//
// Built and run by decode.py against the very library that the program uses. Reads commands on stdin, one a line, and
// answers each with one line:
//   one N       go on from the prompt with one sequence for N tokens; prints tokens a second from the first to the last
//   many W N    compute the prompt once and go on with W sequences at once; prints the seconds it all took, and the
//               seconds of generating alone (as llama-batched-bench does with a shared prompt)
//   quit
// Arguments: MODEL.gguf THREADS CONTEXT FILE, where FILE has the prompt's token ids.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "llama.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static llama_token best(const float *logits, int count) {
    int at = 0;
    for (int i = 1; i < count; i++)
        if (logits[i] > logits[at]) at = i;
    return at;
}

static void quiet(enum ggml_log_level level, const char *text, void *data) {
    (void)level; (void)text; (void)data;
}

static void put(struct llama_batch *batch, llama_token token, int position, int sequence, int wanted) {
    int row = batch->n_tokens++;
    batch->token[row] = token;
    batch->pos[row] = position;
    batch->n_seq_id[row] = 1;
    batch->seq_id[row][0] = sequence;
    batch->logits[row] = wanted;
}

static void check(int status) {
    if (status) {
        fprintf(stderr, "llama_decode: %d\n", status);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    llama_log_set(quiet, NULL);
    llama_backend_init();
    struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) return 1;
    int threads = atoi(argv[2]);
    struct llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = atoi(argv[3]);
    parameters.n_batch = parameters.n_ubatch = 512;
    parameters.n_seq_max = 32;
    parameters.kv_unified = true;
    parameters.n_threads = parameters.n_threads_batch = threads;
    parameters.no_perf = true;
    struct llama_context *context = llama_init_from_model(model, parameters);
    if (!context) return 1;
    llama_memory_t memory = llama_get_memory(context);
    int words = llama_vocab_n_tokens(llama_model_get_vocab(model));
    llama_token prompt[4096];
    int size = 0, id;
    FILE *file = fopen(argv[4], "r");
    while (file && size < 4096 && fscanf(file, "%d", &id) == 1) prompt[size++] = id;
    struct llama_batch batch = llama_batch_init(512, 0, 1);
    char line[100];
    int width, count;
    while (fgets(line, sizeof line, stdin)) {
        int many = sscanf(line, "many %d %d", &width, &count) == 2;
        if (!many && sscanf(line, "one %d", &count) != 1) break;
        if (!many) width = 1;
        llama_memory_clear(memory, false);
        double began = now();
        for (int at = 0; at < size;) {
            batch.n_tokens = 0;
            for (; at < size && batch.n_tokens < 512; at++) put(&batch, prompt[at], at, 0, at == size - 1);
            check(llama_decode(context, batch));
        }
        llama_token last[32];
        last[0] = best(llama_get_logits_ith(context, -1), words);
        for (int s = 1; s < width; s++) {
            llama_memory_seq_cp(memory, 0, s, -1, -1);
            last[s] = (last[0] + s) % words;
        }
        double first = now();
        for (int made = 1; made < count; made++) {
            batch.n_tokens = 0;
            for (int s = 0; s < width; s++) put(&batch, last[s], size + made - 1, s, 1);
            check(llama_decode(context, batch));
            for (int s = 0; s < width; s++) last[s] = best(llama_get_logits_ith(context, s), words);
        }
        double ended = now();
        if (many) printf("%f %f\n", ended - began, ended - first);
        else printf("%f\n", (count - 1) / (ended - first));
        fflush(stdout);
    }
    return 0;
}
