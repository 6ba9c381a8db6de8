/* SPDX-License-Identifier: MIT */
/* verb_workers.c — `runnel workers`: who carries out a fleet's runs, and what they have
 * to do, as they say it themselves once a second. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/fleet_link.h"
#include "cli/verb.h"
#include "codec/json_write.h"
#include "fleet/members.h"
#include "os/clock.h"

struct workers_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
};

/* clang-format off */
static const struct option rows[] = {
    {"json", 0, NULL, "as a JSON list", option_set_switch, offsetof(struct workers_options, json)},
    FLEET_OPTION_ROWS,
    {0},
};

#define ROW_FORM "%-20s %-20s %5s %7s %10s %10s %6s %-8s %-9s %-9s %s\n"
/* clang-format on */

struct listing {
    bool as_json;
    uint64_t now_ms;
    size_t count;
    struct json json;
    struct buf text;
};

/* Clocks of machines differ: what comes from the future is of now. */
static uint64_t age_ms(const struct member *member, uint64_t now_ms)
{
    return now_ms > member->last_seen_ms ? now_ms - member->last_seen_ms : 0;
}

static uint64_t free_bytes(const struct member *member)
{
    return member->memory_bytes > member->promised_bytes
               ? member->memory_bytes - member->promised_bytes
               : 0;
}

static const char *state_of(const struct member *member)
{
    if (member->draining)
        return "draining";
    return member->without_broker ? "no broker" : "good";
}

static void add_row(struct buf *text, const struct member *member, uint64_t now_ms)
{
    char slots[16];
    char running[16];
    char promised[32];
    char unused[32];
    char load[16];
    char seen[32];
    (void)snprintf(slots, sizeof slots, "%u", member->slots);
    (void)snprintf(running, sizeof running, "%u", member->running);
    (void)snprintf(promised, sizeof promised, "%.1f GiB", (double)member->promised_bytes / GIB);
    (void)snprintf(unused, sizeof unused, "%.1f GiB", (double)free_bytes(member) / GIB);
    (void)snprintf(load, sizeof load, "%.2f", (double)member->load_milli / 1000);
    (void)snprintf(seen, sizeof seen, "%.1f s", (double)age_ms(member, now_ms) / 1000);
    buf_add_format(text, ROW_FORM, member->name, member->host, slots, running, promised,
                   member->memory_bytes > 0 ? unused : "any", load, member->version, seen,
                   state_of(member), member->languages);
}

static void write_languages(struct json *json, const char *names)
{
    json_open_array(json, "languages");
    while (*names) {
        size_t len = strcspn(names, " ");
        json_slice(json, NULL, (struct slice){names, len});
        names += len + (names[len] == ' ');
    }
    json_close_array(json);
}

static void write_row(struct json *json, const struct member *member, uint64_t now_ms)
{
    char time[TIME_TEXT_SIZE];
    json_open_object(json, NULL);
    json_text(json, "name", member->name);
    json_text(json, "host", member->host);
    json_text(json, "version", member->version);
    json_u64(json, "slots", member->slots);
    json_u64(json, "running", member->running);
    json_u64(json, "memory_promised_bytes", member->promised_bytes);
    if (member->memory_bytes > 0)
        json_u64(json, "memory_free_bytes", free_bytes(member));
    else
        json_nothing(json, "memory_free_bytes");
    json_milli(json, "load", member->load_milli);
    json_u64(json, "service_ms", member->service_ms);
    json_text(json, "started", format_time(time, member->started_ms));
    json_text(json, "last_seen", format_time(time, member->last_seen_ms));
    json_u64(json, "last_seen_ms_ago", age_ms(member, now_ms));
    json_bool(json, "draining", member->draining);
    json_bool(json, "broker_connected", !member->without_broker);
    write_languages(json, member->languages);
    json_close_object(json);
}

static void add_member(void *context, const struct member *member)
{
    struct listing *listing = context;
    if (!member->is_worker)
        return;
    if (listing->as_json)
        write_row(&listing->json, member, listing->now_ms);
    else
        add_row(&listing->text, member, listing->now_ms);
    listing->count++;
}

static void print_members(const struct fleet_members *members, struct listing *listing)
{
    listing->json = json_start(&listing->text);
    if (listing->as_json)
        json_open_array(&listing->json, NULL);
    else
        buf_add_format(&listing->text, ROW_FORM, "NAME", "HOST", "SLOTS", "RUNNING", "PROMISED",
                       "FREE", "LOAD", "VERSION", "SEEN", "STATE", "LANGUAGES");
    fleet_members_each(members, add_member, listing);
    if (listing->as_json)
        json_close_array(&listing->json);
    (void)printf("%s%s", buf_text(&listing->text), listing->as_json ? "\n" : "");
    if (listing->count == 0)
        (void)fputs("runnel: there is no worker ('runnel worker' starts one)\n", stderr);
}

struct reading {
    struct fleet_link *link;
    struct err err; /* of an answer that is one */
};

static void on_read(void *context)
{
    const struct reading *reading = context;
    fleet_link_settle(reading->link);
}

static void on_unread(void *context, const struct err *err)
{
    struct reading *reading = context;
    reading->err = *err;
    fleet_link_settle(reading->link);
}

static int wait_for_members(struct reading *reading, struct fleet_members *members, struct err *err)
{
    fleet_members_connected(members);
    fleet_link_wait(reading->link);
    if (fleet_members_are_read(members))
        return 0;
    if (reading->err.text[0])
        return err_set(err, reading->err.code, "%s", reading->err.text);
    return err_set(err, ERR_BROKER, "Redis did not answer: %s", reading->link->lost.text);
}

static int list(struct fleet_link *link, bool as_json, struct err *err)
{
    struct listing listing = {.as_json = as_json, .now_ms = clock_unix_ms()};
    struct reading reading = {.link = link};
    const struct fleet_members_config config = {
        .redis = link->redis,
        .loop = link->loop,
        .changed = on_read,
        .unread = on_unread,
        .context = &reading,
    };
    struct fleet_members *members = fleet_members_new(&config, err);
    int rc = members ? 0 : -1;
    buf_init(&listing.text, MIB);
    if (rc == 0)
        rc = wait_for_members(&reading, members, err);
    if (rc == 0)
        print_members(members, &listing);
    if (rc == 0 && listing.text.failed)
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    buf_fini(&listing.text);
    fleet_members_free(members);
    return rc;
}

static int run_workers(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct workers_options options = {0};
    struct fleet_link link = {0};
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE) {
        rc = fleet_link_open(&link, &options.config, err);
        if (rc == 0)
            rc = list(&link, options.json, err);
        fleet_link_close(&link);
    } else if (rc == OPTIONS_HELP) {
        rc = 0;
    }
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_workers = {
    .name = "workers",
    .summary = "who carries out a fleet's runs",
    .synopsis = "workers [--json]",
    .teaching =
        "examples:\n"
        "  runnel workers --stream redis://cache:6379\n"
        "  runnel workers --json | jq '.[] | select(.draining)'\n"
        "\n"
        "A worker says once a second what it has to do; one that has said nothing for five\n"
        "seconds is not there any more.\n",
    .options = {.rows = rows},
    .run = run_workers,
};
