// SPDX-License-Identifier: MIT
package main

func main() {
	for turns := uint64(0); ; turns++ {
	}
}
