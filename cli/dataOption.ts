import { Option } from 'commander'

/** Where a local vault keeps everything. */
export const dataOption = (): Option =>
  new Option('--data <dir>', "the vault's folder").env('HTSVAULT_DATA').default('.htsvault')
