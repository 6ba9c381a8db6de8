/* SPDX-License-Identifier: MIT
 * row: 30 jvm_heap, beside the heap, where the runtime's own cap is none
 * expect: memory_limit
 * never: ESCAPED
 * limits: timeout=30s
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 */
import java.lang.reflect.Field;
import sun.misc.Unsafe;

public class Hoard {
    public static void main(String[] args) throws Exception {
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Unsafe memory = (Unsafe) field.get(null);
        for (int block = 0; block < 2048; block++)
            memory.setMemory(memory.allocateMemory(1 << 20), 1 << 20, (byte) 1);
        System.out.println("ESCAPED 2 GiB");
    }
}
