; SPDX-License-Identifier: MIT
; row: 28 compile_leak
; expect: compile_failed
; stderr: (unable to open|No such file|cannot open|unable to get length)
; layer: root, landlock, identity
section .data
leaked: incbin "@CANARY@"
size equ $ - leaked
section .text
global _start
_start:
    mov eax, 1
    mov edi, 1
    mov rsi, leaked
    mov edx, size
    syscall
    mov eax, 60
    xor edi, edi
    syscall
