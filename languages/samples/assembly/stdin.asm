section .data
hello  db "Hello, World!", 10, "Enter your name: "
hello_length equ $ - hello
greet  db "Hello, "
greet_length equ $ - greet
total  db "!", 10, "Sum of numbers from 1 to 10: "
total_length equ $ - total
digits db "00", 10
digits_length equ $ - digits

section .bss
name resb 100

section .text
global _start

write:
    mov rax, 1
    mov rdi, 1
    syscall
    ret

_start:
    mov rsi, hello
    mov rdx, hello_length
    call write

    xor rax, rax
    xor rdi, rdi
    mov rsi, name
    mov rdx, 100
    syscall
    mov rbx, rax
    test rbx, rbx
    jle .greet
    cmp byte [name + rbx - 1], 10
    jne .greet
    dec rbx

.greet:
    mov rsi, greet
    mov rdx, greet_length
    call write
    mov rsi, name
    mov rdx, rbx
    call write

    xor rax, rax
    mov rcx, 10
.add:
    add rax, rcx
    loop .add
    xor rdx, rdx
    mov rcx, 10
    div rcx
    add [digits], al
    add [digits + 1], dl

    mov rsi, total
    mov rdx, total_length
    call write
    mov rsi, digits
    mov rdx, digits_length
    call write

    mov rax, 60
    xor rdi, rdi
    syscall
