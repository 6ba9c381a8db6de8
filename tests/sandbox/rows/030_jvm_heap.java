/* SPDX-License-Identifier: MIT
 * row: 30 jvm_heap
 * expect: failed
 * stderr: java\.lang\.OutOfMemoryError
 * limits: timeout=30s
 * alone: yes
 * layer: supervisor
 */
import java.util.ArrayList;
import java.util.List;

public class Heap {
    public static void main(String[] args) {
        List<byte[]> hoard = new ArrayList<>();
        while (hoard.size() < 16384) {
            byte[] block = new byte[1 << 20];
            java.util.Arrays.fill(block, (byte) 1);
            hoard.add(block);
        }
        System.out.println("ESCAPED 16 GiB");
    }
}
