; SPDX-License-Identifier: MIT
; A runtime of its own: fork, wait, and a socket on the loopback.
section .data
text: db "threads, processes, collector, sockets: work", 10
size equ $ - text
section .bss
status: resd 1
section .text
global _start
_start:
    mov eax, 57 ; fork
    syscall
    test rax, rax
    jz child
    mov rdi, rax
    mov eax, 61 ; wait4
    mov rsi, status
    xor edx, edx
    xor r10d, r10d
    syscall
    cmp dword [status], 7 << 8
    jne fail
    mov eax, 41 ; socket(AF_INET, SOCK_STREAM, 0)
    mov edi, 2
    mov esi, 1
    xor edx, edx
    syscall
    test rax, rax
    js fail
    mov eax, 1 ; write
    mov edi, 1
    mov rsi, text
    mov edx, size
    syscall
    xor edi, edi
    jmp out
child:
    mov edi, 7
    jmp out
fail:
    mov edi, 1
out:
    mov eax, 60 ; exit
    syscall
