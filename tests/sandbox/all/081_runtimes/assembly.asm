; SPDX-License-Identifier: MIT
; stdout: ^threads, processes, sockets: work; none in this language: collector$
; A runtime of its own: fork and wait, a thread by clone, and what it says over the loopback.
%macro sys 1-4 0, 0, 0 ; number, and what is given; it must not fail
    mov rdi, %2
    mov rsi, %3
    mov rdx, %4
    mov eax, %1
    syscall
    test rax, rax
    js fail
%endmacro

section .data
text: db "threads, processes, sockets: work; none in this language: collector", 10
text_size equ $ - text
hello: db "hello"
address: dw 2, 0 ; AF_INET, any port
    db 127, 0, 0, 1
    dq 0
address_size: dd 16
section .bss
status: resd 1
lives: resd 1 ; the thread's id; the kernel clears it when the thread ends
answer: resb 5
    alignb 16
stack: resb 4096
stack_top:

section .text
global _start
_start:
    sys 57 ; fork
    jz child
    mov rdi, rax
    xor r10d, r10d
    sys 61, rdi, status, 0 ; wait4
    cmp dword [status], 7 << 8
    jne fail

    sys 41, 2, 1, 0 ; socket(AF_INET, SOCK_STREAM)
    mov r12, rax
    sys 49, r12, address, 16 ; bind
    sys 50, r12, 1 ; listen
    sys 51, r12, address, address_size ; getsockname: the port
    sys 41, 2, 1, 0
    mov r13, rax
    sys 42, r13, address, 16 ; connect
    sys 43, r12 ; accept
    mov r14, rax

    mov dword [lives], 1
    mov r10, lives
    xor r8d, r8d
    sys 56, 0x250f00, stack_top ; clone: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, CHILD_CLEARTID
    jz thread
wait_for_it:
    xor r10d, r10d
    mov edx, [lives]
    test edx, edx
    jz ended
    mov rdi, lives
    xor esi, esi ; FUTEX_WAIT
    mov eax, 202
    syscall
    jmp wait_for_it
ended:
    sys 0, r14, answer, 5 ; read
    cmp dword [answer], "hell"
    jne fail
    sys 1, 1, text, text_size ; write
    xor edi, edi
    jmp out
thread:
    sys 1, r13, hello, 5
    xor edi, edi
    jmp out
child:
    mov edi, 7
    jmp out
fail:
    mov edi, 1
out:
    mov eax, 60 ; exit, of a thread that thread's
    syscall
