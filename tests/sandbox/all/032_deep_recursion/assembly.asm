; SPDX-License-Identifier: MIT
; expect: killed_by_signal
; signal: 11
; signal: 11
section .text
global _start
_start:
    call _start
