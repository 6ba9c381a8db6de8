// SPDX-License-Identifier: MIT
// expect: memory_limit
// needs: cgroup
package main

import "fmt"

func deeper(depth int) int {
	return deeper(depth+1) + 1
}

func main() {
	fmt.Println(deeper(0), "came back")
}
