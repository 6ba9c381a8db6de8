// SPDX-License-Identifier: MIT
// expect: failed
// stderr: java\.lang\.OutOfMemoryError
import java.util.ArrayList;
import java.util.List;

public class Hog {
    public static void main(String[] args) {
        List<byte[]> hoard = new ArrayList<>();
        while (hoard.size() < 1 << 14)
            hoard.add(new byte[1 << 20]);
        System.out.println("ran out of ideas");
    }
}
