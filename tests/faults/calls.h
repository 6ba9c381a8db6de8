/* SPDX-License-Identifier: MIT */
/* calls.h — which system call may fail, and how. */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include <stdbool.h>
#include <sys/types.h>

/* One kind of fault a loop. SHORT: the call is carried out for half of its bytes. */
enum fault {
    FAULT_EINTR,
    FAULT_ENOSPC,
    FAULT_EMFILE,
    FAULT_EAGAIN,
    FAULT_ENOMEM,
    FAULT_EIO,
    FAULT_EBUSY,
    FAULT_SHORT,
    FAULTS,
};

struct call {
    pid_t pid;
    unsigned long number;
    unsigned long args[6];
};

/* A name of the command line; -1: none such. */
int fault_by_name(const char *name);
int fault_errno(enum fault fault);

/* May the kernel answer this call so? What no kernel does, no program has to bear. */
bool call_may_fail(const struct call *call, enum fault fault);

int call_length(unsigned long number);

/* For people: "openat", and what its descriptor is, or what a mapping is for. */
const char *call_name(unsigned long number);
void call_target(const struct call *call, char *text, size_t size);

#endif
