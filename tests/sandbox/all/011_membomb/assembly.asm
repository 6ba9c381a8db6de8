; SPDX-License-Identifier: MIT
section .text
global _start
_start:
    mov eax, 9 ; mmap: 16 GiB, private, anonymous, no reserve
    xor edi, edi
    mov rsi, 1 << 34
    mov edx, 3
    mov r10d, 0x4022
    mov r8, -1
    xor r9d, r9d
    syscall
    mov rcx, 1 << 22
touch:
    mov byte [rax], 1
    add rax, 4096
    loop touch
    mov eax, 1
    mov edi, 1
    mov rsi, text
    mov edx, 17
    syscall
    mov eax, 60
    xor edi, edi
    syscall
section .data
text: db "ran out of ideas", 10
