/* SPDX-License-Identifier: MIT
 * row: 80 abi32
 * expect: succeeded
 * stdout: ^int 0x80 from 64 bits: SIGSYS$
 * stdout: ^x32 getpid: (SIGSYS|ENOSYS)$
 * stdout: ^x32 high getpid: (SIGSYS|ENOSYS)$
 * stdout: ^32-bit program: (SIGSYS|ENOEXEC|SIGSEGV)$
 * stdout: ^64-bit program: exit 42$
 * layer: seccomp
 *
 * The other two doors into the kernel have numbers of their own, which a filter
 * for this one's would take for something else. The 64-bit program, written the
 * same way, shows that the 32-bit one was refused for its kind.
 */
#include "saw.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A process that dies of what it does says so; one that does not, exits with 77. */
enum { NOT_STOPPED = 77 };

static const unsigned char code32[] = {
    0xb8, 1, 0, 0, 0,           /* mov eax, 1 (exit) */
    0xbb, NOT_STOPPED, 0, 0, 0, /* mov ebx, 77 */
    0xcd, 0x80,                 /* int 0x80 */
};
static const unsigned char code64[] = {
    0xb8, 60, 0, 0, 0, /* mov eax, 60 (exit) */
    0xbf, 42, 0, 0, 0, /* mov edi, 42 */
    0x0f, 0x05,        /* syscall */
};

static void write_program(const char *path, const void *head, size_t head_size, const void *segment,
                          size_t segment_size, const void *code, size_t code_size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (file < 0 || write(file, head, head_size) < 0 || write(file, segment, segment_size) < 0 ||
        write(file, code, code_size) < 0 || close(file) < 0)
        exit(1);
}

static void write_elf32(const char *path)
{
    enum { BASE = 0x10000, OFFSET = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) };
    Elf32_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
                       .e_entry = BASE + OFFSET, .e_phoff = sizeof head,
                       .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1};
    Elf32_Phdr segment = {.p_type = PT_LOAD, .p_vaddr = BASE, .p_paddr = BASE,
                          .p_filesz = OFFSET + sizeof code32, .p_memsz = OFFSET + sizeof code32,
                          .p_flags = PF_R | PF_X, .p_align = 0x1000};
    write_program(path, &head, sizeof head, &segment, sizeof segment, code32, sizeof code32);
}

static void write_elf64(const char *path)
{
    enum { BASE = 0x10000, OFFSET = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) };
    Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
                       .e_entry = BASE + OFFSET, .e_phoff = sizeof head,
                       .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
    Elf64_Phdr segment = {.p_type = PT_LOAD, .p_vaddr = BASE, .p_paddr = BASE,
                          .p_filesz = OFFSET + sizeof code64, .p_memsz = OFFSET + sizeof code64,
                          .p_flags = PF_R | PF_X, .p_align = 0x1000};
    write_program(path, &head, sizeof head, &segment, sizeof segment, code64, sizeof code64);
}

/* How a child ends that runs `program`, or else `act`. */
static void tell_end(const char *what, const char *program, void (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0 && program) {
        execl(program, program, (char *)NULL);
        _exit(errno);
    }
    if (child == 0) {
        act();
        _exit(NOT_STOPPED);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: SIG%s\n", what, sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == NOT_STOPPED)
        printf("%s: ESCAPED\n", what);
    else if (WEXITSTATUS(status) == 42)
        printf("%s: exit 42\n", what);
    else
        printf("%s: %s\n", what, saw_errno(WEXITSTATUS(status)));
}

static void call_by_interrupt(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    (void)result;
}

static void call_x32(void)
{
    if (syscall(0x40000000L | SYS_getpid) < 0)
        _exit(errno);
}

static void call_x32_high(void)
{
    if (syscall(0x40000000L | 512) < 0)
        _exit(errno);
}

int main(void)
{
    write_elf32("elf32");
    write_elf64("elf64");
    tell_end("int 0x80 from 64 bits", NULL, call_by_interrupt);
    tell_end("x32 getpid", NULL, call_x32);
    tell_end("x32 high getpid", NULL, call_x32_high);
    tell_end("32-bit program", "./elf32", NULL);
    tell_end("64-bit program", "./elf64", NULL);
    return 0;
}
