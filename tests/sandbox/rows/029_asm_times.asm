; SPDX-License-Identifier: MIT
; row: 29 asm_times
; expect: compile_failed
; stderr: (File too large|No space left on device)
; never: ESCAPED
; layer: rlimits, root
;
; More than a compiler may write, and far from what would end it by its time or memory.
section .data
times 2200000 db "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", 10
said: db "ESCAPED", 10
section .text
global _start
_start:
    mov eax, 1
    mov edi, 1
    mov rsi, said
    mov edx, 8
    syscall
    mov eax, 60
    xor edi, edi
    syscall
