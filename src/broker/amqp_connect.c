/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "broker/amqp_private.h"

/* A connection with its two channels, and everything that was declared. Here we wait for
 * answers; afterwards we never do. */

enum { DEFAULT_TIMEOUT_MS = 5000, DEFAULT_HEARTBEAT_S = 10, FRAME_MAX = 131072, CHANNELS_MAX = 8 };

/* The broker's words in one line: they go to logs. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
    }
}

int line_fail(const struct line *line, struct err *err, const char *format, ...)
{
    char what[sizeof err->text];
    va_list args;
    va_start(args, format);
    if (vsnprintf(what, sizeof what, format, args) < 0)
        what[0] = '\0';
    va_end(args);
    make_printable(what);
    return err_set(err, ERR_BROKER, "the broker at %s:%s %s", line->place->host, line->place->port,
                   what);
}

uint64_t line_timeout_ms(const struct line *line)
{
    return line->config->timeout_ms ? line->config->timeout_ms : DEFAULT_TIMEOUT_MS;
}

int line_fail_status(const struct line *line, int status, struct err *err)
{
    if (status == AMQP_STATUS_TIMEOUT)
        return line_fail(line, err, "does not answer within %ju ms",
                         (uintmax_t)line_timeout_ms(line));
    if (status == AMQP_STATUS_HEARTBEAT_TIMEOUT)
        return line_fail(line, err, "gives no sign of life any more");
    if (status == AMQP_STATUS_CONNECTION_CLOSED || status == AMQP_STATUS_SOCKET_ERROR ||
        status == AMQP_STATUS_SOCKET_CLOSED)
        return line_fail(line, err, "has closed the connection");
    return line_fail(line, err, "cannot be talked to: %s", line->api->error_string2(status));
}

int line_fail_close(const struct line *line, const char *what, const amqp_method_t *method,
                    struct err *err)
{
    amqp_bytes_t text = {0};
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD)
        text = ((const amqp_connection_close_t *)method->decoded)->reply_text;
    else if (method->id == AMQP_CHANNEL_CLOSE_METHOD)
        text = ((const amqp_channel_close_t *)method->decoded)->reply_text;
    return line_fail(line, err, "refuses %s: %.*s", what, (int)text.len, (const char *)text.bytes);
}

static int check_reply(const struct line *line, const char *what, const amqp_rpc_reply_t *reply,
                       struct err *err)
{
    switch (reply->reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return 0;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        return line_fail_close(line, what, &reply->reply, err);
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
    case AMQP_RESPONSE_NONE:
        break;
    }
    return line_fail_status(line, reply->library_error, err);
}

/* A request of the consuming channel, unless its channel is another. */
struct request {
    amqp_channel_t channel;
    amqp_method_number_t method;
    amqp_method_number_t reply;
    void *decoded;
};

static int request(struct line *line, struct request request, const char *what, struct err *err)
{
    amqp_method_number_t replies[] = {request.reply, 0};
    amqp_channel_t channel = request.channel ? request.channel : CHANNEL_CONSUME;
    amqp_rpc_reply_t reply =
        line->api->simple_rpc(line->state, channel, request.method, replies, request.decoded);
    return check_reply(line, what, &reply, err);
}

static amqp_table_t table_of(const struct amqp_argument *arguments,
                             amqp_table_entry_t entries[ARGUMENTS_MAX])
{
    int count = 0;
    for (const struct amqp_argument *one = arguments; one && one->name; one++) {
        amqp_table_entry_t *entry = &entries[count++];
        *entry = (amqp_table_entry_t){.key = bytes_of(one->name)};
        if (one->text) {
            entry->value.kind = AMQP_FIELD_KIND_UTF8;
            entry->value.value.bytes = bytes_of(one->text);
        } else {
            entry->value.kind = AMQP_FIELD_KIND_I64;
            entry->value.value.i64 = one->number;
        }
    }
    return (amqp_table_t){count, entries};
}

static int declare_exchange(struct line *line, const struct amqp_declaration *row, struct err *err)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_exchange_declare_t declare = {
        .exchange = bytes_of(row->exchange),
        .type = bytes_of(row->type),
        .durable = row->durable,
        .arguments = table_of(row->arguments, entries),
    };
    struct request wanted = {.method = AMQP_EXCHANGE_DECLARE_METHOD,
                             .reply = AMQP_EXCHANGE_DECLARE_OK_METHOD,
                             .decoded = &declare};
    return request(line, wanted, row->exchange, err);
}

static int declare_queue(struct line *line, const struct amqp_declaration *row, struct err *err)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_queue_declare_t declare = {
        .queue = bytes_of(row->queue),
        .durable = row->durable,
        .exclusive = row->exclusive,
        .arguments = table_of(row->arguments, entries),
    };
    struct request wanted = {.method = AMQP_QUEUE_DECLARE_METHOD,
                             .reply = AMQP_QUEUE_DECLARE_OK_METHOD,
                             .decoded = &declare};
    return request(line, wanted, row->queue, err);
}

static int bind_queue(struct line *line, const struct amqp_declaration *row, struct err *err)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_queue_bind_t bind = {
        .queue = bytes_of(row->queue),
        .exchange = bytes_of(row->exchange),
        .routing_key = bytes_of(row->key),
        .arguments = table_of(row->arguments, entries),
    };
    struct request wanted = {
        .method = AMQP_QUEUE_BIND_METHOD, .reply = AMQP_QUEUE_BIND_OK_METHOD, .decoded = &bind};
    return request(line, wanted, row->queue, err);
}

static int declare_all(struct line *line, struct err *err)
{
    for (size_t i = 0; i < line->config->declaration_count; i++) {
        const struct amqp_declaration *row = &line->config->declarations[i];
        int rc = row->type       ? declare_exchange(line, row, err)
                 : row->exchange ? bind_queue(line, row, err)
                                 : declare_queue(line, row, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int open_channel(struct line *line, amqp_channel_t channel, struct err *err)
{
    amqp_channel_open_t open = {0};
    struct request wanted = {.channel = channel,
                             .method = AMQP_CHANNEL_OPEN_METHOD,
                             .reply = AMQP_CHANNEL_OPEN_OK_METHOD,
                             .decoded = &open};
    return request(line, wanted, "a channel", err);
}

static int open_channels(struct line *line, struct err *err)
{
    amqp_confirm_select_t select = {0};
    struct request confirm = {.channel = CHANNEL_PUBLISH,
                              .method = AMQP_CONFIRM_SELECT_METHOD,
                              .reply = AMQP_CONFIRM_SELECT_OK_METHOD,
                              .decoded = &select};
    if (open_channel(line, CHANNEL_CONSUME, err) < 0 ||
        open_channel(line, CHANNEL_PUBLISH, err) < 0)
        return -1;
    return request(line, confirm, "to confirm", err);
}

static amqp_table_entry_t yes(const char *name)
{
    return (amqp_table_entry_t){
        .key = bytes_of(name),
        .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
    };
}

static amqp_table_entry_t text(const char *name, const char *value)
{
    return (amqp_table_entry_t){
        .key = bytes_of(name),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes_of(value)},
    };
}

static int log_in(struct line *line, struct err *err)
{
    const struct place *place = line->place;
    amqp_table_entry_t can[] = {yes("consumer_cancel_notify"), yes("connection.blocked"),
                                yes("publisher_confirms"), yes("basic.nack")};
    amqp_table_entry_t own[] = {
        text("product", "Runnel"),
        text("version", RUNNEL_VERSION),
        text("connection_name", line->config->name ? line->config->name : "runnel"),
        {.key = bytes_of("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {ARRAY_LEN(can), can}}},
    };
    amqp_table_t properties = {ARRAY_LEN(own), own};
    int heartbeat =
        (int)(line->config->heartbeat_s ? line->config->heartbeat_s : DEFAULT_HEARTBEAT_S);
    amqp_rpc_reply_t reply = line->api->login_with_properties(
        line->state, place->path[0] ? place->path : "/", CHANNELS_MAX, FRAME_MAX, heartbeat,
        &properties, AMQP_SASL_METHOD_PLAIN, place->user[0] ? place->user : "guest",
        place->user[0] ? place->password : "guest");
    if (check_reply(line, "the login", &reply, err) < 0)
        return -1;
    line->heartbeat_ns = (unsigned)line->api->get_heartbeat(line->state) * NS_PER_S;
    return 0;
}

/* Takes fd. */
static int greet(struct line *line, int fd, struct err *err)
{
    /* Of our own, since librabbitmq closes its descriptor when it likes, and the number may
     * be another's when the socket is to be shut down. */
    line->fd = fd;
    if (!relay_lend_socket(line->relay, fd)) {
        (void)close(fd);
        return line_fail(line, err, "is not wanted any more");
    }
    int theirs = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    line->state = line->api->new_connection();
    amqp_socket_t *socket = line->state ? line->api->tcp_socket_new(line->state) : NULL;
    if (theirs < 0 || !socket) {
        if (theirs >= 0)
            (void)close(theirs);
        return line_fail(line, err, "cannot be talked to: too many files, or out of memory");
    }
    line->api->tcp_socket_set_sockfd(socket, theirs);
    uint64_t ms = line_timeout_ms(line);
    struct timeval timeout = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    if (line->api->set_handshake_timeout(line->state, &timeout) != AMQP_STATUS_OK ||
        line->api->set_rpc_timeout(line->state, &timeout) != AMQP_STATUS_OK)
        return line_fail(line, err, "cannot be talked to: out of memory");
    return log_in(line, err);
}

static int try_to_connect(struct line *line, struct err *err)
{
    int fd = line_dial(line, loop_now_ns() + line_timeout_ms(line) * NS_PER_MS, err);
    if (fd < 0)
        return -1;
    line->connection++;
    line->is_held = relay_is_held(line->relay);
    if (greet(line, fd, err) < 0 || open_channels(line, err) < 0 || declare_all(line, err) < 0)
        return -1;
    return line->is_held ? 0 : line_consume(line, err);
}

int line_connect(struct line *line, struct err *err)
{
    int rc = try_to_connect(line, err);
    line->first.is_in_vain = rc < 0;
    return rc;
}

void line_part(struct line *line)
{
    (void)line->api->connection_close(line->state, AMQP_REPLY_SUCCESS);
}

void line_disconnect(struct line *line)
{
    if (line->state)
        (void)line->api->destroy_connection(line->state);
    line->state = NULL;
    relay_close_socket(line->relay);
    for (size_t i = 0; i < CHANNELS; i++)
        content_drop(line, (amqp_channel_t)i);
    line->is_blocked = false;
}
