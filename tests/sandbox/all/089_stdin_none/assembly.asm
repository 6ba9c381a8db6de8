; SPDX-License-Identifier: MIT
section .bss
byte_read: resb 1
section .data
text: db "end of input", 10
section .text
global _start
_start:
    xor eax, eax ; read
    xor edi, edi
    mov rsi, byte_read
    mov edx, 1
    syscall
    test rax, rax
    jnz out
    mov eax, 1 ; write
    mov edi, 1
    mov rsi, text
    mov edx, 13
    syscall
out:
    mov eax, 60
    xor edi, edi
    syscall
