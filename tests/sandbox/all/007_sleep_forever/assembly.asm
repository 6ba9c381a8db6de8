; SPDX-License-Identifier: MIT
section .data
span: dq 1000000000, 0
section .text
global _start
_start:
    mov eax, 35 ; nanosleep
    mov rdi, span
    xor esi, esi
    syscall
    jmp _start
