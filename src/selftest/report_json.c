/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/utsname.h>

#include "codec/json_write.h"
#include "selftest/report.h"

static void write_list(struct json *json, const char *key, const struct config_list *list)
{
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        json_text(json, NULL, list->items[i]);
    json_close_array(json);
}

static void write_configuration(struct json *json, const struct config *config)
{
    json_open_object(json, "configuration");
    write_list(json, "allow_missing", &config->allow_missing);
    write_list(json, "languages_dirs", &config->languages_dirs);
    json_text(json, "cgroup_root", config->cgroup_root);
    json_u64(json, "uid_base", config->uid_base);
    json_open_object(json, "ceiling");
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        uint64_t value = config->ceiling.value[i];
        if (value != 0 && value % info->scale == 0)
            json_u64(json, info->json_name, value / info->scale);
        else if (value != 0)
            json_milli(json, info->json_name, value * 1000 / info->scale);
    }
    json_close_object(json);
    json_close_object(json);
}

static void write_layers(struct json *json, const struct selftest *selftest,
                         const struct report_host *host)
{
    json_open_array(json, "layers");
    for (const char *const *layer = report_layers(); *layer; layer++) {
        const char *word = report_layer_word(host, *layer);
        json_open_object(json, NULL);
        json_text(json, "name", *layer);
        json_text(json, "status", strcmp(word, "-") == 0 ? NULL : word);
        json_u64(json, "held", selftest_tally(selftest, *layer, ROW_HELD));
        json_u64(json, "did_not_hold", selftest_tally(selftest, *layer, ROW_DID_NOT_HOLD));
        json_u64(json, "undecided", selftest_tally(selftest, *layer, ROW_UNDECIDED));
        json_u64(json, "skipped", selftest_tally(selftest, *layer, ROW_SKIPPED));
        json_u64(json, "not_run", selftest_tally(selftest, *layer, ROW_NOT_RUN));
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_row(struct json *json, const struct row_result *result)
{
    static const char *const words[] = {
        [ROW_WAITS] = "not_run",       [ROW_HELD] = "yes",        [ROW_DID_NOT_HOLD] = "no",
        [ROW_UNDECIDED] = "undecided", [ROW_SKIPPED] = "skipped", [ROW_NOT_RUN] = "not_run"};
    json_open_object(json, NULL);
    json_text(json, "number", result->row->number);
    json_text(json, "name", result->row->name);
    json_text(json, "language", result->row->language);
    json_open_array(json, "layers");
    for (const char *const *layer = result->row->layers; *layer; layer++)
        json_text(json, NULL, *layer);
    json_close_array(json);
    json_text(json, "verdict", result->verdict);
    json_text(json, "held", words[result->state]);
    json_text(json, "reason", result->reason);
    json_u64(json, "tries", result->tries);
    json_u64(json, "ms", result->ms);
    json_close_object(json);
}

void report_json(struct buf *to, const struct selftest *selftest, const struct report_host *host)
{
    char date[32];
    struct utsname machine;
    struct json json = json_start(to);
    const char *left = selftest_left(selftest);
    report_date(host, date, sizeof date);
    (void)uname(&machine);
    json_open_object(&json, NULL);
    json_text(&json, "version", RUNNEL_VERSION);
    json_text(&json, "date", date);
    json_text(&json, "host", machine.nodename);
    json_text(&json, "kernel", machine.release);
    json_text(&json, "machine", machine.machine);
    json_bool(&json, "privileged", host->layers->privileged);
    json_text(&json, "isolation", host->isolation);
    write_configuration(&json, host->config);
    json_u64(&json, "held", selftest_tally(selftest, NULL, ROW_HELD));
    json_u64(&json, "did_not_hold", selftest_tally(selftest, NULL, ROW_DID_NOT_HOLD));
    json_u64(&json, "undecided", selftest_tally(selftest, NULL, ROW_UNDECIDED));
    json_u64(&json, "skipped", selftest_tally(selftest, NULL, ROW_SKIPPED));
    json_u64(&json, "not_run", selftest_tally(selftest, NULL, ROW_NOT_RUN));
    json_text(&json, "left", *left ? left : NULL);
    json_i64(&json, "exit_status", selftest_exit_status(selftest));
    json_u64(&json, "ms", selftest_ms(selftest));
    write_layers(&json, selftest, host);
    json_open_array(&json, "rows");
    for (size_t i = 0; i < selftest_count(selftest); i++)
        write_row(&json, selftest_at(selftest, i));
    json_close_array(&json);
    json_close_object(&json);
}
