/* SPDX-License-Identifier: MIT */
/* box_steps.c — goes through a table of steps. */
#include <string.h>
#include <unistd.h>

#include "os/fd.h"
#include "sandbox/box.h"
#include "sandbox/weakened.h"

void box_report_failure(const struct box_plan *plan, const struct box_step *step, int errnum)
{
    struct box_report report = {.failed_errno = errnum, .layer = step->layer};
    strncpy(report.failed_step, step->name, sizeof report.failed_step - 1);
    (void)fd_write_full(plan->report, &report, sizeof report);
}

void box_run_steps(const struct box_step *steps, size_t count, const struct box_plan *plan)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].privileged_only && !plan->privileged)
            continue;
        if (steps[i].layer >= 0 && (plan->skip & 1U << steps[i].layer))
            continue;
        if (!step_is_on(steps[i].name))
            continue;
        int rc = steps[i].run(plan);
        if (rc < 0) {
            box_report_failure(plan, &steps[i], -rc);
            _exit(127);
        }
    }
}
