section .text
global _start
_start:
    mov rax, 9
    xor rdi, rdi
    mov rsi, 1048576
    mov rdx, 3
    mov r10, 0x8022
    mov r8, -1
    xor r9, r9
    syscall
    test rax, rax
    jns _start

    mov rax, 60
    mov rdi, 1
    syscall
