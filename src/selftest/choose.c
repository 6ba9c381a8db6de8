/* SPDX-License-Identifier: MIT */
#include "selftest/choose.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/profile.h"
#include "selftest/trial.h"

static int processors(void)
{
    cpu_set_t ours;
    return sched_getaffinity(0, sizeof ours, &ours) < 0 ? 1 : CPU_COUNT(&ours);
}

static int find_layer(const char *name)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        if (strcmp(layer_name((enum layer)i), name) == 0)
            return i;
    }
    return -1;
}

static bool lacks_layer(const struct layer_report *layers, const char *name)
{
    int layer = find_layer(name);
    return layer >= 0 && layers->layer[layer].status <= LAYER_MISSING;
}

/* "no cgroup here"; NULL when nothing is lacking. */
static char *lacks(const struct selftest_spec *spec, const char *need)
{
    char *reason = NULL;
    if (strcmp(need, "privilege") == 0)
        return spec->layers->privileged ? NULL : strdup("it needs root");
    if (strcmp(need, "two-cpus") == 0)
        return processors() > 1 ? NULL : strdup("it needs two processors");
    if (lacks_layer(spec->layers, need) && asprintf(&reason, "no %s here", need) < 0)
        return NULL;
    return reason;
}

/* Every layer that could stop it. */
static bool lacks_all(const struct selftest_spec *spec, const struct corpus_row *row)
{
    for (const char *const *layer = row->layers; *layer; layer++) {
        if (!lacks_layer(spec->layers, *layer))
            return false;
    }
    return true;
}

static char *why_skip(const struct selftest_spec *spec, const struct corpus_row *row)
{
    const struct language *language = catalogue_find(spec->catalogue, slice_of(row->language));
    char *reason = NULL;
    if (!language || !language->installed)
        return asprintf(&reason, "%s is not installed", row->language) < 0 ? NULL : reason;
    for (const char *const *need = row->needs; need && *need && !reason; need++)
        reason = lacks(spec, *need);
    if (!reason && lacks_all(spec, row))
        reason = lacks(spec, row->layers[0]);
    return reason;
}

static bool is_chosen(const struct selftest_spec *spec, const struct corpus_row *row)
{
    return (!spec->quick || row->quick) && corpus_is_meant(row, spec->only);
}

int choose_rows(const struct selftest_spec *spec, struct row_result **ret_results,
                size_t *ret_count, struct err *err)
{
    size_t count = 0;
    size_t all = 0;
    while (spec->rows[all].number)
        all++;
    struct row_result *results = calloc(all + 1, sizeof *results);
    if (!results)
        return err_set(err, ERR_INTERNAL, "out of memory");
    for (const struct corpus_row *row = spec->rows; row->number; row++) {
        if (!is_chosen(spec, row))
            continue;
        char *reason = why_skip(spec, row);
        results[count++] = (struct row_result){
            .row = row, .state = reason ? ROW_SKIPPED : ROW_WAITS, .reason = reason};
    }
    *ret_results = results;
    *ret_count = count;
    if (count == 0)
        return err_set(err, ERR_INVALID, "no row is meant");
    return 0;
}

unsigned choose_cut_limits(const struct corpus_row *row, const struct language *language,
                           const struct limits *ceiling)
{
    static const unsigned beside_it =
        1U << LIMIT_QUEUE | 1U << LIMIT_ARTIFACT_FILES | 1U << LIMIT_ARTIFACT_BYTES;
    static const struct limits none;
    struct limits asked;
    struct err err;
    unsigned cut = 0;
    if (trial_limits(row, &asked, &err) < 0)
        return 0;
    struct limits usual = limits_resolve(PROFILE_BATCH, &language->minimum, &asked, &none);
    struct limits held = limits_resolve(PROFILE_BATCH, &language->minimum, &asked, ceiling);
    for (int i = 0; i < LIMIT_KINDS; i++)
        cut |= held.value[i] != usual.value[i] ? 1U << i : 0;
    return cut & ~beside_it;
}
