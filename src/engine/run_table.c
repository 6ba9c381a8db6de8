/* SPDX-License-Identifier: MIT */
/* run_table.c — runs by id. The ids are random and ours, so that nobody can
 * choose them to fall into one row. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "engine/engine_private.h"

enum { FIRST_ROWS = 256 };

static size_t row_of(const struct run_table *table, const char *id)
{
    return (size_t)(fnv_text(id) & (table->row_count - 1));
}

int run_table_init(struct run_table *table)
{
    *table = (struct run_table){.row_count = FIRST_ROWS};
    table->rows = calloc(table->row_count, sizeof(struct run *));
    return table->rows ? 0 : -ENOMEM;
}

void run_table_fini(struct run_table *table)
{
    free(table->rows);
    table->rows = NULL;
}

static void put(struct run_table *table, struct run *run)
{
    struct run **row = &table->rows[row_of(table, run->id)];
    run->next_in_row = *row;
    *row = run;
}

/* Without memory for more rows they only get longer. */
static void grow(struct run_table *table)
{
    struct run_table larger = {.row_count = table->row_count * 2};
    larger.rows = calloc(larger.row_count, sizeof(struct run *));
    if (!larger.rows)
        return;
    for (size_t i = 0; i < table->row_count; i++) {
        for (struct run *run = table->rows[i], *next; run; run = next) {
            next = run->next_in_row;
            put(&larger, run);
        }
    }
    free(table->rows);
    table->rows = larger.rows;
    table->row_count = larger.row_count;
}

void run_table_add(struct run_table *table, struct run *run)
{
    if (table->len >= table->row_count)
        grow(table);
    put(table, run);
    table->len++;
}

void run_table_remove(struct run_table *table, struct run *run)
{
    struct run **place = &table->rows[row_of(table, run->id)];
    while (*place != run)
        place = &(*place)->next_in_row;
    *place = run->next_in_row;
    table->len--;
}

void run_table_each(const struct run_table *table, void (*each)(void *context, struct run *run),
                    void *context)
{
    for (size_t i = 0; i < table->row_count; i++) {
        for (struct run *run = table->rows[i]; run; run = run->next_in_row)
            each(context, run);
    }
}

struct run *run_table_find(const struct run_table *table, const char *id)
{
    struct run *run = table->rows[row_of(table, id)];
    while (run && strcmp(run->id, id) != 0)
        run = run->next_in_row;
    return run;
}
