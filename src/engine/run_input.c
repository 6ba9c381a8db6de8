/* SPDX-License-Identifier: MIT */
/* run_input.c — bytes on their way to the program's stdin. They wait here for
 * the execute stage, and then for the pipe. */
#include <errno.h>

#include "engine/engine_private.h"

enum { INPUT_WAITING_MAX = 1024 * 1024 };

int run_input_init(struct run_input *input, const struct run_spec *spec)
{
    *input = (struct run_input){.closed = !spec->input_stays_open};
    buf_init(&input->bytes, SIZE_MAX / 2); /* bounded by the request, then by run_write */
    buf_add_slice(&input->bytes, spec->input);
    return input->bytes.failed ? -ENOMEM : 0;
}

void run_input_flush(struct run *run)
{
    struct run_input *input = &run->input;
    if (!run_is_executing(run) || run->killed)
        return;
    const struct executor_ops *ops = run->stage->executor->ops;
    struct slice bytes = buf_slice(&input->bytes);
    if (bytes.len > input->taken) {
        bytes = (struct slice){bytes.at + input->taken, bytes.len - input->taken};
        size_t took = ops->stage_write(run->stage, bytes);
        if (took > 0)
            run_clock_active(run);
        input->taken += took;
    }
    if (input->taken < input->bytes.len)
        return; /* input_ready comes, unless nobody reads it any more */
    buf_fini(&input->bytes);
    input->taken = 0;
    if (input->closed)
        ops->stage_close_input(run->stage);
}

int run_write(struct run *run, struct slice bytes, struct err *err)
{
    struct run_input *input = &run->input;
    if (run->ending || input->closed)
        return err_set(err, ERR_CONFLICT, "the run takes no more input");
    if (run->carried.is)
        return run->carried.cargo->ops->write(run->carried.cargo, bytes, err);
    if (input->bytes.len - input->taken > INPUT_WAITING_MAX)
        return err_set(err, ERR_BUSY, "the program has not read its earlier input yet");
    if (run->in_queue && admission_check_bytes(run, bytes.len, err) < 0)
        return -1;
    buf_consume(&input->bytes, input->taken);
    input->taken = 0;
    buf_add_slice(&input->bytes, bytes);
    if (input->bytes.failed) {
        input->bytes.failed = false; /* what was there before is whole */
        return err_sys(err, ENOMEM, "cannot keep the input");
    }
    if (run->in_queue)
        admission_hold_bytes(run, bytes.len);
    run_clock_active(run);
    run_input_flush(run);
    return 0;
}

void run_close_input(struct run *run)
{
    if (run->ending || run->input.closed)
        return;
    run->input.closed = true;
    if (run->carried.is) {
        run->carried.cargo->ops->close_input(run->carried.cargo);
        return;
    }
    run_waiting_over(run);
    run_input_flush(run);
}
