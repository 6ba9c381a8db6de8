// SPDX-License-Identifier: MIT
package main

import "fmt"

func main() {
	var hoard [][]byte
	for len(hoard) < 1<<14 {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		hoard = append(hoard, block)
	}
	fmt.Println("ran out of ideas")
}
