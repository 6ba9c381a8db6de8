; SPDX-License-Identifier: MIT
section .data
open: db "["
close: db "]", 10
section .text
global _start
_start:
    mov r12, [rsp]       ; count, with the program's name
    lea r13, [rsp + 8]   ; the arguments
next:
    dec r12
    jz out
    add r13, 8
    mov rsi, open
    mov edx, 1
    call write
    mov rsi, [r13]
    xor edx, edx
measure:
    cmp byte [rsi + rdx], 0
    je measured
    inc rdx
    jmp measure
measured:
    call write
    mov rsi, close
    mov edx, 2
    call write
    jmp next
write:
    mov eax, 1
    mov edi, 1
    syscall
    ret
out:
    mov eax, 60
    xor edi, edi
    syscall
