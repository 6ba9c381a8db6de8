/* SPDX-License-Identifier: MIT
 * row: 30 jvm_heap, kept within its own cap and caught
 * expect: succeeded
 * stdout: ^refused: OutOfMemoryError$
 * limits: timeout=30s
 * alone: yes
 * layer: supervisor
 */
public class Heap {
    public static void main(String[] args) {
        try {
            long[] block = new long[1 << 28];
            System.out.println("ESCAPED " + block.length);
        } catch (OutOfMemoryError error) {
            System.out.println("refused: " + error.getClass().getSimpleName());
        }
    }
}
