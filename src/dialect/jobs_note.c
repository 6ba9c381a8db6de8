/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_note.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/jobs_analysis.h"
#include "dialect/jobs_request.h"

static const char prefix[] = "job1 ";

/* JSON has no newline but ours. */
static void write_asked(struct json *json, const struct jobs_request *request)
{
    json_slice(json, "workspace_id", request->workspace_id);
    json_slice(json, "language", request->language_name);
    json_slice(json, "source_code", request->source);
    if (request->entry_point.at)
        json_slice(json, "entry_point", request->entry_point);
    if (request->timeout_ms % 1000 == 0)
        json_u64(json, "timeout", request->timeout_ms / 1000);
    else
        json_milli(json, "timeout", request->timeout_ms);
}

static void write_more(struct json *json, const struct jobs_request *request)
{
    json_text(json, "priority", lane_name(request->lane));
    if (request->dependencies) {
        json_open_array(json, "dependencies");
        for (const char **at = request->dependencies; *at; at++)
            json_text(json, NULL, *at);
        json_close_array(json);
    }
}

void jobs_note_write(struct buf *note, const struct jobs_request *request, uint64_t created_ms,
                     const struct jobs_analysis *analysis)
{
    buf_add_format(note, "%s%" PRIu64 "\n", prefix, created_ms);
    struct json json = json_start(note);
    json_slice(&json, NULL, request->workspace_id);
    buf_add_char(note, '\n');
    json = json_start(note);
    write_asked(&json, request);
    buf_add_char(note, '\n');
    json = json_start(note);
    write_more(&json, request);
    buf_add_char(note, '\n');
    if (!analysis)
        return;
    json = json_start(note);
    json_open_object(&json, "analysis");
    jobs_analysis_write(&json, analysis);
    json_close_object(&json);
}

static bool take_line(struct slice *text, struct slice *ret_line)
{
    const char *newline = text->len > 0 ? memchr(text->at, '\n', text->len) : NULL;
    if (!newline)
        return false;
    *ret_line = (struct slice){text->at, (size_t)(newline - text->at)};
    text->at = newline + 1;
    text->len -= ret_line->len + 1;
    return true;
}

bool jobs_note_read(struct slice text, struct jobs_note *ret_note)
{
    struct slice head;
    char number[24] = "";
    size_t skip = sizeof prefix - 1;
    if (!take_line(&text, &head) || head.len <= skip || head.len - skip >= sizeof number ||
        memcmp(head.at, prefix, skip) != 0)
        return false;
    memcpy(number, head.at + skip, head.len - skip);
    if (parse_u64(number, &ret_note->created_ms) < 0 ||
        !take_line(&text, &ret_note->workspace_id) || !take_line(&text, &ret_note->asked) ||
        !take_line(&text, &ret_note->more))
        return false;
    ret_note->analysis = text;
    return ret_note->workspace_id.len > 0 && ret_note->asked.len > 0 && ret_note->more.len > 0;
}
