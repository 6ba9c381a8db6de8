/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "engineio_fake.h"

#include <stdio.h>

enum { LONG = 4096 };

static struct fake *the_fake; /* polls are names, and know nothing else */
static int the_ws;

/* Ids are kept and hidden, separators made visible. */
static void say_packets(struct fake *fake, struct slice bytes)
{
    static const char mark[] = "\"sid\":\"";
    fake->bytes += bytes.len;
    if (bytes.len > LONG) {
        buf_add_text(&fake->said, "(long)\n");
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] == '\x1e') {
            buf_add_char(&fake->said, '|');
            continue;
        }
        buf_add_char(&fake->said, bytes.at[i]);
        size_t mark_len = sizeof mark - 1;
        if (bytes.len - i < mark_len + 20 || memcmp(bytes.at + i, mark, mark_len) != 0)
            continue;
        bool opens = i >= 2 && bytes.at[i - 2] == '0' && bytes.at[0] == '0';
        (void)snprintf(opens ? fake->sid : fake->id, sizeof fake->sid, "%.20s",
                       bytes.at + i + mark_len);
        buf_add_text(&fake->said, mark + 1);
        buf_add_text(&fake->said, "…");
        i += mark_len + 20 - 1;
    }
    buf_add_char(&fake->said, '\n');
}

static void answer_poll(void *poll, const struct engineio_answer *answer)
{
    buf_add_format(&the_fake->said, "poll %s: %d %s ", (const char *)poll, answer->status,
                   answer->content_type ? answer->content_type : "-");
    say_packets(the_fake, answer->body);
}

static bool ws_send(void *ws, struct slice packet)
{
    assert_ptr_equal(ws, &the_ws);
    buf_add_text(&the_fake->said, "frame ");
    say_packets(the_fake, packet);
    return !the_fake->ws_full;
}

static void ws_close(void *ws)
{
    assert_ptr_equal(ws, &the_ws);
    buf_add_text(&the_fake->said, "close ws\n");
}

static void *connected(void *context, struct engineio_session *session)
{
    struct fake *fake = context;
    buf_add_text(&fake->said, "connected\n");
    fake->session = session;
    if (fake->emit_at_once)
        assert_int_equal(engineio_emit(session, fake->emit_at_once, (struct slice){"", 0}), 1);
    return fake->refuse_clients ? NULL : fake;
}

static void event(void *owner, struct slice name, const json_t *argument)
{
    struct fake *fake = owner;
    auto_free char *text = argument ? json_dumps(argument, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    buf_add_format(&fake->said, "event %.*s %s\n", (int)name.len, name.at, text ? text : "-");
    if (fake->disconnect_on_event)
        engineio_disconnect(fake->session);
}

static void writable(void *owner)
{
    buf_add_text(&((struct fake *)owner)->said, "writable\n");
}

static void closed(void *owner)
{
    buf_add_text(&((struct fake *)owner)->said, "closed\n");
}

void fake_start(struct fake *fake, const struct engineio_config *config)
{
    static const struct engineio_transport_ops transport = {answer_poll, ws_send, ws_close};
    static const struct engineio_owner_ops owner = {connected, event, writable, closed};
    struct engineio_config whole = config ? *config : (struct engineio_config){0};
    whole.transport = &transport;
    whole.owner = &owner;
    whole.context = fake;
    *fake = (struct fake){.loop = loop_new()};
    buf_init(&fake->said, SIZE_MAX);
    the_fake = fake;
    struct err err;
    fake->engineio = engineio_new(fake->loop, &whole, &err);
    assert_non_null(fake->engineio);
}

void fake_end(struct fake *fake)
{
    engineio_free(fake->engineio);
    loop_free(fake->loop);
    buf_fini(&fake->said);
}

static void on_time(void *context)
{
    loop_stop(context);
}

void fake_run(struct fake *fake, uint64_t ms)
{
    struct loop_timer *timer = loop_timer_new(fake->loop, on_time, fake->loop);
    loop_timer_start(timer, ms);
    loop_run(fake->loop);
    loop_timer_free(timer);
}

void fake_expect(struct fake *fake, const char *said)
{
    fake_run(fake, 1);
    assert_false(fake->said.failed);
    assert_string_equal(buf_text(&fake->said), said);
    buf_clear(&fake->said);
}

struct engineio_query fake_query(const struct fake *fake, const char *method)
{
    return (struct engineio_query){.eio = "4",
                                   .transport = "polling",
                                   .sid = fake->sid,
                                   .method = slice_of(method),
                                   .client = "192.0.2.1",
                                   .holder = fake->holder};
}

struct engineio_session *fake_poll(struct fake *fake, const char *name)
{
    struct engineio_query query = fake_query(fake, "GET");
    /* Names are constants; the module must not look at them. */
    return engineio_poll_arrived(fake->engineio, &query, (void *)(uintptr_t)name);
}

bool fake_post(struct fake *fake, const char *body)
{
    struct engineio_query query = fake_query(fake, "POST");
    struct engineio_answer answer = engineio_post_arrived(fake->engineio, &query, slice_of(body));
    return answer.status == 200 && strcmp(answer.content_type, "text/html") == 0 &&
           slice_is(answer.body, "ok");
}

void fake_frame(struct fake *fake, const char *text)
{
    engineio_ws_text(fake->session, slice_of(text));
}

void fake_open(struct fake *fake)
{
    fake->sid[0] = '\0';
    assert_null(fake_poll(fake, "open"));
    assert_int_equal(strlen(fake->sid), 20);
    buf_clear(&fake->said);
}

void fake_connect(struct fake *fake)
{
    fake_open(fake);
    assert_true(fake_post(fake, "40"));
    fake_expect(fake, "connected\n");
    assert_null(fake_poll(fake, "a"));
    fake_expect(fake, "poll a: 200 " TEXT_PLAIN " 40{\"sid\":\"…\"}\n");
}

bool fake_arrive_ws(struct fake *fake)
{
    struct engineio_query query = fake_query(fake, "GET");
    query.transport = "websocket";
    query.upgrade = true;
    struct engineio_answer answer;
    struct engineio_session *session = engineio_ws_arrived(fake->engineio, &query, &answer);
    if (!session) {
        assert_int_equal(answer.status, 101);
        return false;
    }
    fake->session = session;
    engineio_ws_opened(session, &the_ws);
    return true;
}

void fake_open_ws(struct fake *fake)
{
    fake->sid[0] = '\0';
    assert_true(fake_arrive_ws(fake));
    fake_expect(fake, "frame 0{\"sid\":\"…\",\"upgrades\":[],\"pingInterval\":25000,"
                      "\"pingTimeout\":20000,\"maxPayload\":1000000}\n");
    fake_frame(fake, "40");
    fake_expect(fake, "connected\nframe 40{\"sid\":\"…\"}\n");
}
