; SPDX-License-Identifier: MIT
; row: 29 asm_times
; expect: compile_failed timeout cpu_limit memory_limit
; never: ran
; needs: cgroup
; alone: yes
; slow: yes
; layer: rlimits, root
section .data
times 1000000000 db 0
section .text
global _start
_start:
    mov eax, 60
    xor edi, edi
    syscall
