/* SPDX-License-Identifier: MIT */
/* Rows to structures and back: what calls on runs, files and lists share. */
#include "base/util.h"
#include "store/store_private.h"

void run_read(struct statement *statement, struct arena *arena, struct stored_run *ret_run,
              uint64_t *ret_number)
{
    *ret_number = column_number(statement);
    *ret_run = (struct stored_run){
        .run = {.id = column_text(statement, arena)},
    };
    struct store_run *run = &ret_run->run;
    struct store_end *end = &ret_run->end;
    run->key = column_number(statement);
    run->language = column_text(statement, arena);
    run->created_ms = column_number(statement);
    end->verdict = column_text(statement, arena);
    end->finished_ms = column_number(statement);
    ret_run->is_finished = end->verdict && end->verdict[0] != '\0';
    ret_run->is_interrupted = column_number(statement) != 0;
    end->queued_ms = column_number(statement);
    end->wall_ms = column_number(statement);
    end->cpu_ms = column_number(statement);
    run->accepted = column_bytes(statement, arena);
    end->result = column_bytes(statement, arena);
}

/* FNV-1a. Who makes two pairs collide makes his own lists slower. */
uint64_t metadata_pair(const struct store_pair *pair)
{
    uint64_t hash = 0xcbf29ce484222325;
    const char *const texts[] = {pair->name, pair->value};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *at = texts[i];
        do {
            hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
        } while (*at++ != '\0');
    }
    return hash & INT64_MAX;
}

int run_read_metadata(struct store *store, uint64_t number, struct arena *arena,
                      struct stored_run *run, struct err *err)
{
    struct store_pair *pairs = arena_get(arena, STORE_METADATA_MAX * sizeof *pairs);
    auto_statement struct statement *get = statement_use(&store->db, SQL_METADATA_GET);
    bind_number(get, number);
    size_t count = 0;
    int rc = statement_step(get, err);
    for (; rc > 0 && pairs && count < STORE_METADATA_MAX; rc = statement_step(get, err)) {
        pairs[count].name = column_text(get, arena);
        pairs[count++].value = column_text(get, arena);
    }
    run->run.metadata = pairs;
    run->run.metadata_count = count;
    return rc < 0 ? -1 : 0;
}

const struct store_pair *pairs_copy(struct arena *arena, const struct store_pair *pairs,
                                    size_t count)
{
    struct store_pair *copies = arena_get(arena, (count + 1) * sizeof *copies);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i].name = arena_text(arena, pairs[i].name);
        copies[i].value = arena_text(arena, pairs[i].value);
    }
    return copies;
}

void file_copy(struct arena *arena, const struct store_file *from, struct store_file *to)
{
    *to = *from;
    to->id = arena_text(arena, from->id);
    to->run = arena_text(arena, from->run);
    to->name = arena_text(arena, from->name);
}

int file_insert(struct store *store, const struct store_file *file, const uint64_t *run_number,
                struct err *err)
{
    auto_statement struct statement *add = statement_use(&store->db, SQL_FILE_ADD);
    bind_text(add, file->id);
    bind_number(add, file->key);
    if (run_number)
        bind_number(add, *run_number);
    else
        bind_nothing(add);
    bind_text(add, file->name);
    bind_number(add, file->size);
    bind_digest(add, file->sha256);
    bind_number(add, file->created_ms);
    bind_number(add, file->expires_ms);
    return statement_run(add, err);
}

void file_read(struct statement *statement, struct arena *arena, struct store_file *ret_file)
{
    *ret_file = (struct store_file){.id = column_text(statement, arena)};
    ret_file->key = column_number(statement);
    ret_file->run = column_text(statement, arena);
    ret_file->name = column_text(statement, arena);
    ret_file->size = column_number(statement);
    column_digest(statement, ret_file->sha256);
    ret_file->created_ms = column_number(statement);
    ret_file->expires_ms = column_number(statement);
}

void *rows_grow(struct arena *arena, void *rows, size_t count, size_t row_size)
{
    bool is_power_of_two = (count & (count - 1)) == 0;
    if (count > 0 && !is_power_of_two)
        return rows;
    void *grown = arena_get(arena, (count > 0 ? 2 * count : 1) * row_size);
    if (grown && count > 0)
        memcpy(grown, rows, count * row_size);
    return grown;
}

int files_read(struct statement *statement, struct arena *arena, struct store_file **ret_files,
               size_t *ret_count, struct err *err)
{
    struct store_file *files = rows_grow(arena, NULL, 0, sizeof *files);
    size_t count = 0;
    int rc = 0;
    while (files && (rc = statement_step(statement, err)) > 0) {
        files = rows_grow(arena, files, count, sizeof *files);
        if (files)
            file_read(statement, arena, &files[count++]);
    }
    *ret_files = files;
    *ret_count = count;
    return rc < 0 ? -1 : 0;
}
