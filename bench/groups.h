/* SPDX-License-Identifier: MIT */
/* groups.h — exact cpu time of everything that an arm starts.
 *
 * A parent's own figures leave out what it does not wait for (bubblewrap's
 * processes, a service's boxes). So each arm runs in a cgroup of its own, in the
 * hierarchy cpuacct of version 1, whose figure is in nanoseconds and holds that
 * of the groups made below it. Whoever enters one starts the arm from there.
 */
#ifndef RUNNEL_BENCH_GROUPS_H
#define RUNNEL_BENCH_GROUPS_H

/* Makes the group on first use. Ends the program on failure. */
void group_enter(const char *arm);
void group_leave(void); /* back to where this process was started */
double group_cpu_ms(const char *arm);
/* Of a group that somebody else made, by its path in the hierarchy's file system. */
double group_cpu_ms_at(const char *folder);
void group_remove(const char *arm);

#endif
