// SPDX-License-Identifier: MIT
// stderr: StackOverflowError
public class Deep {
    static long deeper(long depth) {
        return deeper(depth + 1) + 1;
    }

    public static void main(String[] args) {
        System.out.println(deeper(0) + "came back");
    }
}
