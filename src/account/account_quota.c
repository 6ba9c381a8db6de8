/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "account/account_private.h"
#include "loop/loop.h"

#define DAY_MS 86400000ULL
#define DAY_NS (DAY_MS * NS_PER_MS)

/* What does not make a run costs little: so many times what the key may of those, and at
 * least so much. */
enum { REQUESTS_TIMES = 10, REQUESTS_RATE_MILLI = 100000, REQUESTS_BURST = 200 };

/* --- a bucket: thousandths of requests, on the monotonic clock --- */

static uint64_t full_milli(const struct account_bucket *bucket)
{
    return bucket->burst * 1000;
}

static uint64_t time_for(const struct account_bucket *bucket, uint64_t milli)
{
    uint64_t ns = milli * NS_PER_S;
    return ns / bucket->rate_milli + (ns % bucket->rate_milli > 0);
}

/* Time that has not yet made a whole thousandth stays to be counted. */
static void fill(struct account_bucket *bucket, uint64_t now_ns)
{
    uint64_t full = full_milli(bucket);
    if (now_ns < bucket->filled_ns)
        return;
    uint64_t elapsed_ns = now_ns - bucket->filled_ns;
    if (bucket->tokens_milli >= full ||
        elapsed_ns >= time_for(bucket, full - bucket->tokens_milli)) {
        bucket->tokens_milli = full;
        bucket->filled_ns = now_ns;
        return;
    }
    uint64_t gained = elapsed_ns * bucket->rate_milli / NS_PER_S;
    bucket->tokens_milli += gained;
    bucket->filled_ns += gained * NS_PER_S / bucket->rate_milli;
}

static void set_bounds(struct account_bucket *bucket, uint64_t rate_milli, uint64_t burst)
{
    bucket->rate_milli = burst > 0 ? rate_milli : 0;
    bucket->burst = burst;
}

/* What is known of the key may have changed. */
static void look_at_row(struct account_key *key)
{
    const struct store_key *row = &key->row;
    uint64_t rate_milli = MAX(row->rate_milli * REQUESTS_TIMES, REQUESTS_RATE_MILLI);
    set_bounds(&key->runs, row->rate_milli, row->burst);
    set_bounds(&key->requests, row->rate_milli > 0 ? rate_milli : 0,
               row->burst > 0 ? MAX(row->burst * REQUESTS_TIMES, REQUESTS_BURST) : 0);
}

static void bucket_owe(struct account_bucket *bucket, uint64_t milli)
{
    if (bucket->rate_milli == 0)
        return;
    fill(bucket, loop_now_ns());
    uint64_t there = MIN(bucket->tokens_milli, milli);
    bucket->tokens_milli -= there;
    bucket->filled_ns += time_for(bucket, milli - there);
}

static uint64_t ms_until(const struct account_bucket *bucket, uint64_t tokens_milli)
{
    uint64_t now_ns = loop_now_ns();
    uint64_t owed_ns = MAX(bucket->filled_ns, now_ns) - now_ns;
    return (owed_ns + time_for(bucket, tokens_milli - bucket->tokens_milli)) / NS_PER_MS + 1;
}

static struct account_rate bucket_take(struct account_bucket *bucket)
{
    if (bucket->rate_milli == 0)
        return (struct account_rate){.allowed = true};
    fill(bucket, loop_now_ns());
    struct account_rate rate = {
        .allowed = bucket->tokens_milli >= 1000, .limited = true, .limit = bucket->burst};
    if (rate.allowed)
        bucket->tokens_milli -= 1000;
    else
        rate.retry_ms = ms_until(bucket, 1000);
    rate.remaining = bucket->tokens_milli / 1000;
    rate.reset_ms = ms_until(bucket, full_milli(bucket));
    return rate;
}

static struct account_rate take(struct accounts *accounts, uint64_t number, bool makes_run)
{
    struct account_key *key = account_keys_find(&accounts->keys, number);
    if (!key)
        return (struct account_rate){.allowed = true};
    look_at_row(key);
    return bucket_take(makes_run ? &key->runs : &key->requests);
}

struct account_rate accounts_take(struct accounts *accounts, uint64_t number)
{
    return take(accounts, number, true);
}

struct account_rate accounts_take_request(struct accounts *accounts, uint64_t number)
{
    return take(accounts, number, false);
}

void accounts_owe_requests(struct accounts *accounts, uint64_t number, uint64_t count)
{
    struct account_key *key = account_keys_find(&accounts->keys, number);
    if (!key)
        return;
    look_at_row(key);
    bucket_owe(&key->requests, count * 1000);
}

/* --- the quota --- */

void account_quota_begin(struct account_key *key)
{
    look_at_row(key);
    key->runs.tokens_milli = full_milli(&key->runs);
    key->requests.tokens_milli = full_milli(&key->requests);
    key->runs.filled_ns = key->requests.filled_ns = loop_now_ns();
    key->day = account_unix_ms() / DAY_MS;
    key->day_since_ns = loop_now_ns();
}

/* A wall clock that jumps ahead ends a day early, once; one that jumps back does not
 * begin a day again, and no day lasts longer than a day. */
void account_quota_turn_day(struct account_key *key)
{
    uint64_t day = account_unix_ms() / DAY_MS;
    uint64_t now_ns = loop_now_ns();
    if (day == key->day || (day < key->day && now_ns - key->day_since_ns < DAY_NS))
        return;
    key->day = day;
    key->day_since_ns = now_ns;
    key->today_runs = 0;
    key->today_run_ms = 0;
}

void account_quota_add_used(struct account_key *key, const struct store_usage *usage)
{
    account_quota_turn_day(key);
    if (usage->day != key->day)
        return;
    key->today_runs += usage->runs;
    key->today_run_ms += usage->run_ms;
}

static int refuse_day(const struct account_key *key, struct err *err)
{
    uint64_t left_ms = DAY_MS - account_unix_ms() % DAY_MS;
    uint64_t minutes = (left_ms + 59999) / 60000;
    (void)err_set(err, ERR_RATE_LIMITED,
                  "this key has used up its %" PRIu64 " seconds of runs a day; come again in "
                  "%" PRIu64 " h %" PRIu64 " min, at 00:00 UTC",
                  key->row.daily_run_ms / 1000, minutes / 60, minutes % 60);
    if (err)
        err->retry_ms = left_ms;
    return -1;
}

int accounts_run_starts(struct accounts *accounts, uint64_t number, struct err *err)
{
    struct account_key *key = account_keys_find(&accounts->keys, number);
    if (!key)
        return 0;
    account_quota_turn_day(key);
    if (key->row.concurrency > 0 && key->running >= key->row.concurrency)
        return err_set(err, ERR_RATE_LIMITED,
                       "this key may have %" PRIu64 " runs at once, and has them; come again when "
                       "one of them has ended",
                       key->row.concurrency);
    if (key->row.daily_run_ms > 0 && key->today_run_ms >= key->row.daily_run_ms)
        return refuse_day(key, err);
    key->running++;
    return 0;
}

void accounts_run_ended(struct accounts *accounts, uint64_t number, uint64_t run_ms)
{
    struct account_key *key = account_keys_find(&accounts->keys, number);
    if (!key)
        return;
    account_quota_turn_day(key);
    if (key->running > 0) /* 0: the key came while its run was there */
        key->running--;
    key->today_runs += run_ms > 0;
    key->today_run_ms += run_ms;
}
