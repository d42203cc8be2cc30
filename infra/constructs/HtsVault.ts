import { Construct } from 'constructs'
import { readSettings, type SettingsInput } from '../config.ts'
import { VaultService } from './VaultService.ts'
import { VaultState } from './VaultState.ts'

export interface HtsVaultProps {
  /**
   * The vault's settings, checked at synth; all of them have defaults, and the default is private. docs/deploy.md has
   * them in a table, infra/config.ts what each may be.
   */
  readonly settings?: SettingsInput
}

/**
 * A whole vault in a stack of your own.
 * @throws HtsvaultError SETTINGS_INVALID
 * @example new HtsVault(this, 'Vault', { settings: { stage: 'lab' } })
 */
export class HtsVault extends Construct {
  /** The buckets and keys; kept when the stack is deleted. */
  readonly state: VaultState
  /** The functions and the API. */
  readonly service: VaultService

  constructor(scope: Construct, id: string, props: HtsVaultProps = {}) {
    super(scope, id)
    const settings = readSettings(props.settings)
    this.state = new VaultState(this, 'State', { settings })
    this.service = new VaultService(this, 'Service', { settings, state: this.state })
  }
}
