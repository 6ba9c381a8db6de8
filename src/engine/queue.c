/* SPDX-License-Identifier: MIT */
#include "engine/queue.h"

#include <assert.h>
#include <string.h>

#include "engine/engine_private.h"

static const char *const lane_names[] = {
    [LANE_HIGH] = "high",
    [LANE_NORMAL] = "normal",
    [LANE_LOW] = "low",
};
static_assert(ARRAY_LEN(lane_names) == LANES, "the last lane has no name");

const char *lane_name(enum lane lane)
{
    return lane_names[lane];
}

void queue_init(struct queue *queue, size_t max)
{
    memset(queue, 0, sizeof *queue);
    queue->max = max;
    for (int lane = 0; lane < LANES; lane++) {
        list_init(&queue->rings[lane]);
        for (int i = 0; i < QUEUE_LINES; i++)
            list_init(&queue->lines[lane][i].runs);
    }
}

/* --- whose turn it is --- */

/* LANES when nobody waits. */
static enum lane next_lane(const struct queue_turns *turns)
{
    enum lane first = LANES;
    enum lane due = LANES;
    for (enum lane lane = 0; lane < LANES; lane++) {
        if (turns->len[lane] == 0)
            continue;
        if (first == LANES)
            first = lane;
        if (turns->passed[lane] >= QUEUE_PASSES &&
            (due == LANES || turns->passed[lane] >= turns->passed[due]))
            due = lane;
    }
    return due != LANES ? due : first;
}

static void give_slot(struct queue_turns *turns, enum lane taken)
{
    turns->len[taken]--;
    for (int lane = 0; lane < LANES; lane++) {
        bool passed = lane != (int)taken && turns->len[lane] > 0;
        turns->passed[lane] = passed ? turns->passed[lane] + 1 : 0;
    }
}

static struct queue_line *line_at(const struct list *turn)
{
    return CONTAINER_OF(turn, struct queue_line, turn);
}

struct run *queue_first(const struct queue *queue)
{
    enum lane lane = next_lane(&queue->turns);
    if (lane == LANES)
        return NULL;
    return CONTAINER_OF(line_at(queue->rings[lane].next)->runs.next, struct run, place);
}

/* --- in and out --- */

static struct queue_line *line_of(struct queue *queue, const struct run *run)
{
    return &queue->lines[run->lane][run->tenant % QUEUE_LINES];
}

enum queue_room queue_room_of(size_t max, size_t len, size_t held, size_t free_slots)
{
    size_t room = max + free_slots;
    if (len >= room)
        return QUEUE_FULL;
    return held >= room - max / 4 ? QUEUE_FULL_FOR_TENANT : QUEUE_HAS_ROOM;
}

enum queue_room queue_room(const struct queue *queue, const struct run *run, size_t free_slots)
{
    size_t held = 0;
    for (int lane = 0; lane < LANES; lane++)
        held += queue->lines[lane][run->tenant % QUEUE_LINES].len;
    return queue_room_of(queue->max, queue->len, held, free_slots);
}

void queue_add(struct queue *queue, struct run *run)
{
    struct queue_line *line = line_of(queue, run);
    if (line->len++ == 0)
        list_append(&queue->rings[run->lane], &line->turn);
    list_append(&line->runs, &run->place);
    run->in_queue = true;
    queue->turns.len[run->lane]++;
    queue->len++;
}

static struct queue_line *unlink_run(struct queue *queue, struct run *run)
{
    struct queue_line *line = line_of(queue, run);
    list_remove(&run->place);
    run->in_queue = false;
    queue->len--;
    if (--line->len == 0)
        list_remove(&line->turn);
    return line;
}

void queue_take(struct queue *queue, struct run *run)
{
    assert(run == queue_first(queue));
    struct queue_line *line = unlink_run(queue, run);
    give_slot(&queue->turns, run->lane);
    if (line->len > 0) {
        list_remove(&line->turn);
        list_append(&queue->rings[run->lane], &line->turn);
    }
}

void queue_remove(struct queue *queue, struct run *run)
{
    (void)unlink_run(queue, run);
    if (--queue->turns.len[run->lane] == 0)
        queue->turns.passed[run->lane] = 0;
}

/* --- positions --- */

/* From 1: among those of its tenant. */
static size_t place_in_line(const struct queue_line *line, const struct run *run)
{
    size_t place = 1;
    if (line->runs.previous == &run->place)
        return line->len; /* as of all that have just come */
    for (const struct list *link = line->runs.next; link != &run->place; link = link->next)
        place++;
    return place;
}

/* From 1: every line that has its turn earlier gives as many runs as this one before it,
 * and the others one less. */
static size_t place_in_lane(const struct queue *queue, const struct run *run)
{
    const struct queue_line *own = &queue->lines[run->lane][run->tenant % QUEUE_LINES];
    size_t in_line = place_in_line(own, run);
    size_t place = in_line;
    size_t rounds = in_line;
    list_for_each (turn, &queue->rings[run->lane]) {
        const struct queue_line *line = line_at(turn);
        if (line == own)
            rounds = in_line - 1;
        else
            place += MIN(line->len, rounds);
    }
    return place;
}

struct queue_place queue_place(const struct queue *queue, const struct run *run)
{
    struct queue_place place = {0};
    struct queue_turns turns = queue->turns;
    size_t waiting = queue->len;
    size_t ahead = place_in_lane(queue, run) - 1;
    for (enum lane lane; (lane = next_lane(&turns)) != run->lane || ahead > 0; waiting--) {
        if (turns.len[run->lane] == waiting)
            break; /* it is this lane's turn from here on */
        ahead -= lane == run->lane;
        place.before[lane]++;
        give_slot(&turns, lane);
    }
    place.before[run->lane] += ahead;
    place.position =
        place.before[LANE_HIGH] + place.before[LANE_NORMAL] + place.before[LANE_LOW] + 1;
    return place;
}
