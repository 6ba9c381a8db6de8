/* SPDX-License-Identifier: MIT */
/* seccomp_newer_calls.h — the calls that kernels know and our headers may not.
 *
 * Debian 12 stops at Linux 6.1. A policy must be able to name what a newer
 * kernel offers, if only to say why it is refused. Where the header has a
 * number, the header's holds. tools/call_names.py reads this file through the
 * preprocessor; nothing else includes it.
 */
#ifndef RUNNEL_SANDBOX_SECCOMP_NEWER_CALLS_H
#define RUNNEL_SANDBOX_SECCOMP_NEWER_CALLS_H

#include <sys/syscall.h>

#ifdef __x86_64__
#ifndef __NR_uretprobe
#define __NR_uretprobe 335 /* Linux 6.11 */
#endif
#ifndef __NR_uprobe
#define __NR_uprobe 336 /* Linux 6.18 */
#endif
#endif

/* From here on the numbers are the same on every architecture. */
#ifndef __NR_cachestat
#define __NR_cachestat 451 /* Linux 6.5 */
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452 /* Linux 6.6 */
#endif
#ifndef __NR_map_shadow_stack
#define __NR_map_shadow_stack 453 /* Linux 6.6 */
#endif
#ifndef __NR_futex_wake
#define __NR_futex_wake 454 /* Linux 6.7 */
#endif
#ifndef __NR_futex_wait
#define __NR_futex_wait 455 /* Linux 6.7 */
#endif
#ifndef __NR_futex_requeue
#define __NR_futex_requeue 456 /* Linux 6.7 */
#endif
#ifndef __NR_statmount
#define __NR_statmount 457 /* Linux 6.8 */
#endif
#ifndef __NR_listmount
#define __NR_listmount 458 /* Linux 6.8 */
#endif
#ifndef __NR_lsm_get_self_attr
#define __NR_lsm_get_self_attr 459 /* Linux 6.8 */
#endif
#ifndef __NR_lsm_set_self_attr
#define __NR_lsm_set_self_attr 460 /* Linux 6.8 */
#endif
#ifndef __NR_lsm_list_modules
#define __NR_lsm_list_modules 461 /* Linux 6.8 */
#endif
#ifndef __NR_mseal
#define __NR_mseal 462 /* Linux 6.10 */
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463 /* Linux 6.13 */
#endif
#ifndef __NR_getxattrat
#define __NR_getxattrat 464 /* Linux 6.13 */
#endif
#ifndef __NR_listxattrat
#define __NR_listxattrat 465 /* Linux 6.13 */
#endif
#ifndef __NR_removexattrat
#define __NR_removexattrat 466 /* Linux 6.13 */
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467 /* Linux 6.15 */
#endif
#ifndef __NR_file_getattr
#define __NR_file_getattr 468 /* Linux 6.17 */
#endif
#ifndef __NR_file_setattr
#define __NR_file_setattr 469 /* Linux 6.17 */
#endif
#ifndef __NR_listns
#define __NR_listns 470 /* Linux 6.19 */
#endif
#ifndef __NR_rseq_slice_yield
#define __NR_rseq_slice_yield 471 /* Linux 7.0 */
#endif

#endif
